import { Button, Group, Stack, Text } from "@mantine/core";
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { useService } from "../../api/service";
import { grouped } from "../../format/money";
import { Info } from "../../parts/Info";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { useNarrow } from "../../parts/useNarrow";
import { Filters } from "./Filters";
import { NoRows, Rows } from "./Rows";
import { SortSelect } from "./SortSelect";
import { Summary } from "./Summary";
import { useTrancheCount, useTranches } from "./queries";
import {
  EVERYTHING,
  type MarketSearch,
  csvAddress,
  isFiltered,
  paramsOf,
  searchOf,
} from "./search";

/** Every tranche on offer or outstanding, and how each one does. */
export function Market() {
  const [params, setParams] = useSearchParams();
  const search = useMemo(() => searchOf(params), [params]);
  const narrow = useNarrow("64em");
  const query = useTranches(search);
  const filtered = isFiltered(search);
  const count = useTrancheCount(filtered);
  const all = filtered
    ? count
    : { isError: query.isError, data: query.isPlaceholderData ? undefined : query.data?.total };

  const go = useCallback(
    (next: MarketSearch, replace = false) =>
      setParams(paramsOf(next), { replace, preventScrollReset: true }),
    [setParams],
  );
  const reset = () => go({ ...search, ...FILTERS_OFF });

  return (
    <Stack gap="lg">
      <PageHead
        title="Market"
        about="GPU capacity in units of one GPU-hour. Rent that its renters pay goes to holders of units, epoch by epoch, from metering that anybody can recompute."
      />
      <Summary tranches={all.isError ? null : all.data} />
      <Section
        title="Tranches"
        about={<AboutColumns />}
        actions={
          <Button component="a" href={csvAddress(search)} download variant="default" size="xs">
            Download CSV
          </Button>
        }
      >
        <Filters
          search={search}
          choices={query.data?.choices}
          onChange={(change, typing) => go({ ...search, ...change, offset: 0 }, typing)}
          onReset={reset}
        />
        <Group justify="space-between" gap="sm" mih={36}>
          <Text size="sm" c="dimmed" role="status" className="figures">
            {query.data === undefined ? "" : countOf(query.data.total, isFiltered(search))}
          </Text>
          {narrow && <SortSelect search={search} onChange={go} />}
        </Group>
        <Loaded query={query} lines={10}>
          {(page) =>
            page.tranches.length > 0 ? (
              <Rows
                page={page}
                search={search}
                narrow={narrow}
                busy={query.isPlaceholderData}
                onGo={go}
              />
            ) : (
              <NoRows total={page.total} search={search} onGo={go} onReset={reset} />
            )
          }
        </Loaded>
      </Section>
    </Stack>
  );
}

function AboutColumns() {
  const symbol = useService().settlement_token?.symbol ?? "";
  return (
    <>
      Amounts in {symbol === "" ? "the settlement token" : symbol}. A blank is not known.
      <Info label="the columns">
        <strong>Price</strong>: of one unit in its primary sale. <strong>Coupon</strong>: what a
        unit is to earn over the window before tranches below it get anything; the last tranche gets
        the remainder. <strong>Utilisation</strong>: billed over available GPU-seconds of statements
        that stand on-chain. <strong>Paid per unit</strong>: revenue that reached one unit from the
        beginning, cut, never rounded up.
      </Info>
    </>
  );
}

const FILTERS_OFF: Partial<MarketSearch> = {
  q: EVERYTHING.q,
  gpu_class: EVERYTHING.gpu_class,
  site: EVERYTHING.site,
  operator: EVERYTHING.operator,
  state: EVERYTHING.state,
  offset: 0,
};

function countOf(total: number, filtered: boolean): string {
  const count = `${grouped(total)} ${total === 1 ? "tranche" : "tranches"}`;
  return filtered ? `${count} ${total === 1 ? "matches" : "match"}` : count;
}
