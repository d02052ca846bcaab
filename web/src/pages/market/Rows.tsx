import { Anchor, Group, NativeSelect, Stack } from "@mantine/core";
import { Empty } from "../../parts/Empty";
import { Pager } from "../../parts/Pager";
import { MarketCards } from "./MarketCards";
import { MarketTable } from "./MarketTable";
import type { Row } from "./queries";
import { type MarketSearch, PAGE_SIZES, isFiltered, sortedBy } from "./search";

type Go = (next: MarketSearch) => void;

/** One page of tranches, and the way to others. */
export function Rows({
  page,
  search,
  narrow,
  busy,
  onGo,
}: {
  page: { tranches: readonly Row[]; total: number };
  search: MarketSearch;
  narrow: boolean;
  busy: boolean;
  onGo: Go;
}) {
  return (
    <Stack gap="sm" aria-busy={busy}>
      {narrow ? (
        <MarketCards rows={page.tranches} />
      ) : (
        <MarketTable
          rows={page.tranches}
          search={search}
          onSort={(sort) => onGo(sortedBy(search, sort))}
        />
      )}
      <Pager
        label="Pages of tranches"
        total={page.total}
        offset={search.offset}
        limit={search.limit}
        onOffset={(offset) => onGo({ ...search, offset })}
      />
      {page.total > PAGE_SIZES[0] && (
        <Group justify="flex-end">
          <NativeSelect
            size="xs"
            aria-label="Rows on a page"
            value={search.limit}
            data={PAGE_SIZES.map((size) => ({
              value: String(size),
              label: `${size} a page`,
            }))}
            onChange={(event) =>
              onGo({ ...search, limit: Number(event.currentTarget.value), offset: 0 })
            }
          />
        </Group>
      )}
    </Stack>
  );
}

/** Why there are none. */
export function NoRows({
  total,
  search,
  onGo,
  onReset,
}: {
  total: number;
  search: MarketSearch;
  onGo: Go;
  onReset: () => void;
}) {
  if (isFiltered(search)) {
    return (
      <Empty title="No tranche matches">
        Take a filter away, or{" "}
        <Anchor component="button" type="button" inherit onClick={onReset}>
          show all tranches
        </Anchor>
        .
      </Empty>
    );
  }
  if (total > 0) {
    return (
      <Empty title="No more tranches">
        This page lies behind the last one.{" "}
        <Anchor
          component="button"
          type="button"
          inherit
          onClick={() => onGo({ ...search, offset: 0 })}
        >
          Go to the first
        </Anchor>
        .
      </Empty>
    );
  }
  return (
    <Empty title="No capacity yet">
      Tranches appear here as soon as an operator registers a facility. Operators begin at{" "}
      <Anchor href="/operator" inherit>
        their console
      </Anchor>
      .
    </Empty>
  );
}
