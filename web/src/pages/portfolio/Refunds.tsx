import { Box } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address, Hash } from "viem";
import type { Schemas } from "../../api/client";
import { useContractAddress } from "../../api/service";
import { primarySaleAbi } from "../../chain/abis";
import { counted, exactMoney, grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { DataTable, type Column } from "../../parts/DataTable";
import { Section } from "../../parts/Section";
import { SendButton } from "../../parts/SendButton";
import { TxState } from "../../parts/TxState";
import { TrancheLink } from "./TrancheLink";

type Row = Schemas["RefundableOut"];

/** Units of sales that did not come about: their price comes back, exactly. */
export function Refunds({ rows, own, account }: { rows: Row[]; own: boolean; account: Address }) {
  const sale = useContractAddress("PrimarySale");
  const [hash, setHash] = useState<Hash | null>(null);
  const columns: Column<Row>[] = [
    { head: "Tranche", rowHead: true, cell: (row) => <TrancheLink tokenId={row.token_id} /> },
    { head: "Units", number: true, cell: (row) => grouped(row.units) },
    {
      head: "Comes back",
      number: true,
      cell: (row) => <Amount micros={row.amount_micros} digits={6} symbol />,
    },
  ];
  if (own) {
    columns.push({
      head: <span className="visually-hidden">Action</span>,
      cell: (row) => (
        <Box w="fit-content" maw={320}>
          <SendButton
            variant="default"
            // The row goes away with the units: what became of it is shown below.
            withState={false}
            onSent={setHash}
            call={{
              address: sale,
              abi: primarySaleAbi as unknown as Abi,
              functionName: "refund",
              args: [BigInt(row.token_id), BigInt(row.units), account],
              label: `Refund of ${counted(row.units, "unit")} of tranche ${row.token_id}: ${exactMoney(row.amount_micros)}`,
            }}
          >
            Take refund
          </SendButton>
        </Box>
      ),
    });
  }
  if (rows.length === 0 && hash === null) return null;
  return (
    <Section
      title="Refunds"
      about="These sales missed their floor or could not be funded. The units are burned and exactly their price is paid back. There is no deadline."
    >
      {rows.length > 0 && (
        <DataTable
          caption="Refunds of failed sales"
          rows={rows}
          rowKey={(row) => row.token_id}
          columns={columns}
        />
      )}
      {hash !== null && <TxState hash={hash} />}
    </Section>
  );
}
