import { Anchor } from "@mantine/core";
import { useState } from "react";
import type { Address } from "viem";
import type { Schemas } from "../../api/client";
import { grouped } from "../../format/money";
import { nameAmong } from "../../format/tranche";
import { sentenceCase } from "../../format/text";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Account, TxHash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { Unknown } from "../../parts/Unknown";
import { TrancheLink } from "./TrancheLink";
import { useHistory, usePortfolio } from "./queries";

const PAGE = 20;
type Entry = Schemas["HistoryEntryOut"] & { place: number };

function columnsWith(nameOf: (tokenId: string) => string | undefined): Column<Entry>[] {
  return [
    { head: "Time", cell: (e) => <Instant seconds={e.block_time_s} /> },
    {
      head: "What",
      rowHead: true,
      cell: (e) => <span style={{ whiteSpace: "nowrap" }}>{sentenceCase(e.event)}</span>,
    },
    {
      head: "Tranche",
      cell: (e) =>
        e.token_id !== null ? (
          <TrancheLink tokenId={e.token_id} name={nameOf(e.token_id)} />
        ) : e.facility_id !== null ? (
          `Facility ${e.facility_id}`
        ) : (
          <Unknown />
        ),
    },
    {
      head: "Units",
      number: true,
      cell: (e) => (e.units === null ? <Unknown /> : grouped(e.units)),
    },
    {
      head: "Amount",
      number: true,
      cell: (e) => <Amount micros={e.amount_micros} digits={6} />,
    },
    {
      head: "Other account",
      cell: (e) =>
        e.counterparty === null ? <Unknown /> : <Account address={e.counterparty} copy={false} />,
    },
    { head: "Transaction", cell: (e) => <TxHash hash={e.tx_hash} /> },
  ];
}

/** What the account did and received, from indexed events. */
export function History({ account }: { account: Address }) {
  const [offset, setOffset] = useState(0);
  const query = useHistory(account, offset, PAGE);
  const { data: portfolio } = usePortfolio(account);
  const nameOf = (tokenId: string) => nameAmong(portfolio?.positions ?? [], tokenId);
  return (
    <Section
      title="History"
      about="Each purchase, transfer, claim, refund and voucher, newest first, with its transaction."
      actions={
        <Anchor href={`/v1/portfolio/${account}/statement.csv`} download size="sm">
          Statement (CSV)
        </Anchor>
      }
    >
      <Loaded query={query}>
        {(data) =>
          data.total === 0 ? (
            <Empty title="No history">
              Purchases, transfers and claims of this account appear here as soon as they are
              indexed.
            </Empty>
          ) : (
            <>
              <DataTable<Entry>
                caption="What the account did and received"
                // One transaction can do the same thing twice: the place tells them apart.
                rows={data.entries.map((e, i) => ({ ...e, place: offset + i }))}
                rowKey={(e) => `${e.tx_hash} ${e.place}`}
                columns={columnsWith(nameOf)}
              />
              <Pager
                total={data.total}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
                label="Pages of the history"
              />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
