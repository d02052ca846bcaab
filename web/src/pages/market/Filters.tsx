import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { sentenceCase } from "../../format/text";
import { FACILITY_STATES } from "../../generated/states";
import classes from "./Market.module.css";
import type { Choices } from "./queries";
import { type MarketSearch, isFiltered, plain } from "./search";

interface Option {
  value: string;
  label: string;
}

/** What can be chosen. An address may hold what is no longer on the market: it stays to be seen and cleared. */
function options(all: string, known: Option[], chosen: string): Option[] {
  const missing = chosen !== "" && !known.some((option) => option.value === chosen);
  return [
    { value: "", label: all },
    ...known,
    ...(missing ? [{ value: chosen, label: `${chosen} (none now)` }] : []),
  ];
}

const same = (value: string): Option => ({ value, label: value });

export function Filters({
  search,
  choices,
  onChange,
  onReset,
}: {
  search: MarketSearch;
  choices: Choices | undefined;
  /** `typing` says that more may follow, so that the history gets one entry, not one a letter. */
  onChange: (change: Partial<MarketSearch>, typing?: boolean) => void;
  onReset: () => void;
}) {
  const select = (
    label: string,
    key: "gpu_class" | "site" | "operator" | "state",
    data: Option[],
  ) => (
    <NativeSelect
      label={label}
      value={search[key]}
      data={data}
      onChange={(event) => onChange({ [key]: event.currentTarget.value })}
    />
  );

  return (
    <div role="search" aria-label="Tranches" className={classes.filters}>
      <SearchField q={search.q} onType={(q) => onChange({ q }, true)} />
      {select(
        "GPU class",
        "gpu_class",
        options("All classes", (choices?.gpu_classes ?? []).map(same), search.gpu_class),
      )}
      {select("Site", "site", options("All sites", (choices?.sites ?? []).map(same), search.site))}
      {select(
        "Operator",
        "operator",
        options(
          "All operators",
          (choices?.operators ?? []).map((o) => ({
            value: o.address,
            label: o.name,
          })),
          search.operator,
        ),
      )}
      {select(
        "Status",
        "state",
        options(
          "Any status",
          FACILITY_STATES.filter((state) => choices?.states.includes(state) ?? true).map(
            (state) => ({
              value: state,
              label: sentenceCase(state),
            }),
          ),
          search.state,
        ),
      )}
      <Button
        variant="default"
        className={classes.reset}
        disabled={!isFiltered(search)}
        onClick={onReset}
      >
        Reset
      </Button>
    </div>
  );
}

function SearchField({ q: given, onType }: { q: string; onType: (q: string) => void }) {
  const [text, setText] = useState(given);
  const [applied, setApplied] = useState(given);
  const apply = useDebouncedCallback((q: string) => onType(plain(q)), 250);
  // The back button and Reset change the address from outside of the field.
  if (given !== applied) {
    setApplied(given);
    setText(given);
  }

  return (
    <TextInput
      type="search"
      label="Search"
      placeholder="Name, operator, class, site or id"
      className={classes.search}
      value={text}
      maxLength={80}
      onChange={(event) => {
        setText(event.currentTarget.value);
        apply(event.currentTarget.value);
      }}
    />
  );
}
