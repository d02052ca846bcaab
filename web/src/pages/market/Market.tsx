import { Anchor, Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { useService } from "../../api/service";
import { grouped } from "../../format/money";
import { Empty } from "../../parts/Empty";
import { Info } from "../../parts/Info";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { useNarrow } from "../../parts/useNarrow";
import { Filters } from "./Filters";
import { MarketCards } from "./MarketCards";
import { MarketTable } from "./MarketTable";
import { SortSelect } from "./SortSelect";
import { Summary } from "./Summary";
import { useTrancheCount, useTranches } from "./queries";
import {
  EVERYTHING,
  type MarketSearch,
  PAGE_SIZES,
  csvAddress,
  isFiltered,
  paramsOf,
  searchOf,
  sortedBy,
} from "./search";

/** Every tranche on offer or outstanding, and how each one does. */
export function Market() {
  const [params, setParams] = useSearchParams();
  const search = useMemo(() => searchOf(params), [params]);
  const narrow = useNarrow("64em");
  const symbol = useService().settlement_token?.symbol ?? "";
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
        about={
          <>
            Amounts in {symbol === "" ? "the settlement token" : symbol}. A blank is not known.
            <Info label="the columns">
              <strong>Price</strong>: of one unit in its primary sale. <strong>Coupon</strong>: what
              a unit is to earn over the window before tranches below it get anything; the last
              tranche gets the remainder. <strong>Utilisation</strong>: billed over available
              GPU-seconds of statements that stand on-chain. <strong>Paid per unit</strong>: revenue
              that reached one unit from the beginning, cut, never rounded up.
            </Info>
          </>
        }
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
              <Stack gap="sm" aria-busy={query.isPlaceholderData}>
                {narrow ? (
                  <MarketCards rows={page.tranches} />
                ) : (
                  <MarketTable
                    rows={page.tranches}
                    search={search}
                    onSort={(sort) => go(sortedBy(search, sort))}
                  />
                )}
                <Pager
                  label="Pages of tranches"
                  total={page.total}
                  offset={search.offset}
                  limit={search.limit}
                  onOffset={(offset) => go({ ...search, offset })}
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
                        go({ ...search, limit: Number(event.currentTarget.value), offset: 0 })
                      }
                    />
                  </Group>
                )}
              </Stack>
            ) : isFiltered(search) ? (
              <Empty title="No tranche matches">
                Take a filter away, or{" "}
                <Anchor component="button" type="button" inherit onClick={reset}>
                  show all tranches
                </Anchor>
                .
              </Empty>
            ) : page.total > 0 ? (
              <Empty title="No more tranches">
                This page lies behind the last one.{" "}
                <Anchor
                  component="button"
                  type="button"
                  inherit
                  onClick={() => go({ ...search, offset: 0 })}
                >
                  Go to the first
                </Anchor>
                .
              </Empty>
            ) : (
              <Empty title="No capacity yet">
                Tranches appear here as soon as an operator registers a facility. Operators begin at{" "}
                <Anchor href="/operator" inherit>
                  their console
                </Anchor>
                .
              </Empty>
            )
          }
        </Loaded>
      </Section>
    </Stack>
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
