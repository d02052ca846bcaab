import { Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address, Hash as TransactionHash } from "viem";
import { useContractAddress } from "../../api/service";
import { deliveryDeskAbi } from "../../chain/abis";
import { exactMoney, gpuHours, grouped } from "../../format/money";
import { instant } from "../../format/time";
import { type Column, DataTable } from "../../parts/DataTable";
import { Hash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Section } from "../../parts/Section";
import { SendButton } from "../../parts/SendButton";
import { TxState } from "../../parts/TxState";
import { Unknown } from "../../parts/Unknown";
import { OwedByBond } from "./OwedByBond";
import { type LiveVoucher, type VoucherRow, useLiveVouchers } from "./liveVouchers";

/** Compute that is owed for burned units, and what the bond pays where it was not served. */
export function Vouchers({
  account,
  own,
  rows,
}: {
  account: Address;
  own: boolean;
  rows: VoucherRow[];
}) {
  const live = useLiveVouchers(account, rows).data;
  // Kept here: a row's button goes away once it is paid, and what became of it must not.
  const [hash, setHash] = useState<TransactionHash | null>(null);
  const at = (row: VoucherRow) => live?.vouchers.get(row.voucher_id);
  const open = (row: VoucherRow) =>
    at(row)?.openGpuSeconds ??
    BigInt(row.owed_gpu_seconds - row.served_gpu_seconds - row.paid_gpu_seconds);
  const columns: Column<VoucherRow>[] = [
    { head: "Voucher", rowHead: true, cell: (row) => `No. ${row.voucher_id}` },
    { head: "Facility", number: true, cell: (row) => row.facility_id },
    { head: "Units burned", number: true, cell: (row) => grouped(row.units) },
    { head: "Owed, GPU-hours", number: true, cell: (row) => gpuHours(row.owed_gpu_seconds) },
    {
      head: "Served",
      number: true,
      cell: (row) => gpuHours(at(row)?.servedGpuSeconds ?? row.served_gpu_seconds),
    },
    {
      head: "Paid instead",
      number: true,
      cell: (row) => gpuHours(at(row)?.paidGpuSeconds ?? row.paid_gpu_seconds),
    },
    { head: "Still open", number: true, cell: (row) => gpuHours(open(row)) },
    {
      head: "What comes next",
      cell: (row) => {
        const found = at(row);
        return found === undefined ? (
          <Unknown />
        ) : (
          <Text size="sm" miw={220} maw={320}>
            {nextOf(found)}
          </Text>
        );
      },
    },
    { head: "Lease hash", cell: (row) => <Hash value={row.lease} /> },
    { head: "Issued", cell: (row) => <Instant seconds={row.issued_at_s} /> },
  ];
  const payable = own ? rows.filter((row) => at(row)?.standing.kind === "payable") : [];
  return (
    <Section
      title="Vouchers"
      about="Compute owed for units that were burned. The service serves a voucher from the delivery lines of final statements by itself; what stays unserved after the window is paid from the operator's bond, as far as it goes."
    >
      <DataTable
        caption="Vouchers of the account"
        rows={rows}
        rowKey={(row) => row.voucher_id}
        columns={columns}
      />
      {payable.map((row) => {
        const found = at(row);
        return found === undefined ? null : (
          <Payable key={row.voucher_id} row={row} live={found} onSent={setHash} />
        );
      })}
      {hash !== null && <TxState hash={hash} />}
      <OwedByBond owed={live?.owed ?? []} account={account} own={own} />
    </Section>
  );
}

/** Whether the open part is served, waits or is paid. */
function nextOf({ standing }: LiveVoucher): string {
  switch (standing.kind) {
    case "closed":
      return "Closed: served or paid in full.";
    case "running":
      return "Served by delivery lines while the facility delivers.";
    case "waiting":
      return `Late proofs come first; what is then open is paid from ${instant(standing.fromS)}.`;
    case "unpaid":
      return "The bond's terms pay nothing for unserved compute.";
    case "bondEmpty":
      return "The operator's bond is empty: nothing can be paid now. It stays owed.";
    case "payable":
      return `The bond can pay for ${gpuHours(standing.gpuSeconds)} GPU-hours now.`;
  }
}

/** A voucher whose open part the bond can pay, in words, with the button that asks for it. */
function Payable({
  row,
  live,
  onSent,
}: {
  row: VoucherRow;
  live: LiveVoucher;
  onSent: (hash: TransactionHash) => void;
}) {
  const desk = useContractAddress("DeliveryDesk");
  const { standing, openGpuSeconds, symbol } = live;
  if (standing.kind !== "payable") return null;
  const rest = openGpuSeconds - standing.gpuSeconds;
  const hours = gpuHours(standing.gpuSeconds);
  const amount = `${exactMoney(standing.amountMicros)} ${symbol}`;
  return (
    <Stack className="surface" p="md" gap="sm" align="flex-start">
      <Text size="sm" maw={760}>
        Voucher {row.voucher_id}: you get <strong>{amount}</strong> from the bond for {hours}{" "}
        GPU-hours, which are then no longer owed as compute.
        {rest > 0n && ` The bond covers no more: ${gpuHours(rest)} GPU-hours stay owed.`} It is
        credited in the bond vault first, and withdrawn from there.
      </Text>
      <SendButton
        withState={false}
        onSent={onSent}
        call={{
          address: desk,
          abi: deliveryDeskAbi as unknown as Abi,
          functionName: "payUnserved",
          args: [BigInt(row.voucher_id)],
          label: `Payment of ${amount} for ${hours} unserved GPU-hours of voucher ${row.voucher_id}`,
        }}
      >
        Have it paid
      </SendButton>
    </Stack>
  );
}
