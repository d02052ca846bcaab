import { Stack } from "@mantine/core";
import { useState } from "react";
import { grouped, percentOfPpm } from "../../format/money";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Account } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import type { Schemas } from "../../api/client";
import { useHolders } from "./queries";

type Holder = Schemas["HolderOut"];

const PAGE = 20;

const columns: Column<Holder>[] = [
  { head: "Holder", rowHead: true, cell: (h) => <Account address={h.address} /> },
  { head: "Units", number: true, cell: (h) => grouped(h.units) },
  { head: "Share", number: true, cell: (h) => percentOfPpm(h.share_ppm) },
];

const counted = (count: number, one: string, many: string): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

/** Who holds how much: the chain says so to anybody. */
export function Holders({ tokenId }: { tokenId: string }) {
  const [offset, setOffset] = useState(0);
  const query = useHolders(tokenId, offset, PAGE);
  return (
    <Section
      title="Holders"
      anchor="holders"
      about={
        query.data === undefined || query.data.total === 0
          ? "Wallets that hold units, largest first, from transfers on-chain."
          : `${counted(query.data.total, "wallet holds", "wallets hold")} ${query.data.units_issued === null ? "units" : counted(query.data.units_issued, "unit", "units")}, largest first, from transfers on-chain. Their sum equals the supply.`
      }
    >
      <Loaded query={query} lines={5}>
        {(page) =>
          page.total === 0 ? (
            <Empty title="No holder yet">
              Units are minted as they are bought in the sale, or by the operator where there is no
              sale.
            </Empty>
          ) : (
            <Stack gap="sm">
              <DataTable
                caption="Holders, largest first"
                columns={columns}
                rows={page.holders}
                rowKey={(h) => h.address}
              />
              <Pager
                label="Pages of holders"
                total={page.total}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
              />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
