import { Stack, Text } from "@mantine/core";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Account } from "../../parts/Hash";
import type { Attesters, Panel } from "../../verify/panels";

function columnsWith(
  nameOf: (address: string) => string | null,
  offerPanel: number | null,
): Column<Panel>[] {
  return [
    { head: "Panel", rowHead: true, cell: (panel) => panel.number },
    {
      head: "Must sign",
      cell: ({ threshold, attesters }) =>
        threshold === 0 ? "its first seats do not hold yet" : `${threshold} of ${attesters.length}`,
    },
    {
      head: "Seats",
      cell: ({ attesters }) => (
        <Stack gap={2} align="flex-start">
          {attesters.map((address) => (
            <Account key={address} address={address} name={nameOf(address)} />
          ))}
        </Stack>
      ),
    },
    {
      head: "New offers",
      cell: ({ number }) => (number === offerPanel ? "are given this panel" : ""),
    },
  ];
}

/** Panels with their seats: each facility has one for good, which its operator does not choose. */
export function Panels({
  chain,
  readBy,
  nameOf,
}: {
  chain: Attesters;
  readBy: string;
  nameOf: (address: string) => string | null;
}) {
  return (
    <>
      <Text size="sm">
        A facility is given a panel with its offer; its operator does not choose it. More than half
        of the seats must sign, each with a bond of at least{" "}
        <Amount micros={chain.minimumBondMicros} symbol />. Read from AttesterRegistry through{" "}
        {readBy}, at block {chain.block.toString()}.
      </Text>
      {chain.panels.length > 0 && (
        <DataTable
          caption="Panels of attesters"
          columns={columnsWith(nameOf, chain.offerPanel)}
          rows={chain.panels}
          rowKey={(panel) => panel.number}
        />
      )}
    </>
  );
}
