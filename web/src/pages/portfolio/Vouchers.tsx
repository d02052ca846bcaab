import { Box, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address, Hash as TransactionHash } from "viem";
import { useContractAddress } from "../../api/service";
import { deliveryDeskAbi } from "../../chain/abis";
import { exactMoney, gpuHours } from "../../format/money";
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
      cell: (row) => <Next row={row} live={at(row)} own={own} onSent={setHash} />,
    },
    { head: "Lease hash", cell: (row) => <Hash value={row.delivery_ref} /> },
    { head: "Issued", cell: (row) => <Instant seconds={row.issued_at_s} /> },
  ];
  return (
    <Section
      title="Vouchers"
      about="Compute owed for units that were burned. Delivery lines of final statements serve a voucher; what stays unserved after the window is paid from the operator's bond, as far as it goes."
    >
      <DataTable
        caption="Vouchers of the account"
        rows={rows}
        rowKey={(row) => row.voucher_id}
        columns={columns}
      />
      {hash !== null && <TxState hash={hash} />}
      <OwedByBond owed={live?.owed ?? []} account={account} own={own} />
    </Section>
  );
}

/** Whether the open part is served, waits or is paid, and the button that asks for the payment. */
function Next({
  row,
  live,
  own,
  onSent,
}: {
  row: VoucherRow;
  live: LiveVoucher | undefined;
  own: boolean;
  onSent: (hash: TransactionHash) => void;
}) {
  const desk = useContractAddress("DeliveryDesk");
  if (live === undefined) return <Unknown />;
  const { standing, openGpuSeconds } = live;
  const say = (words: string) => (
    <Text size="sm" miw={220} maw={320} style={{ whiteSpace: "normal" }}>
      {words}
    </Text>
  );
  switch (standing.kind) {
    case "closed":
      return say("Closed: served or paid in full.");
    case "running":
      return say("Served by delivery lines while the facility delivers.");
    case "waiting":
      return say(
        `Late proofs come first; what is then open is paid from ${instant(standing.fromS)}.`,
      );
    case "unpaid":
      return say("The bond's terms pay nothing for unserved compute.");
    case "bondEmpty":
      return say("The operator's bond is empty: nothing can be paid now. It stays owed.");
  }
  const { gpuSeconds, amountMicros } = standing;
  const rest = openGpuSeconds - gpuSeconds;
  const hours = gpuHours(gpuSeconds);
  const amount = `${exactMoney(amountMicros)} ${live.symbol}`;
  return (
    <Stack gap={6} py={4}>
      {say(
        `The bond pays ${amount} for ${hours} GPU-hours, which are then no longer owed as compute.` +
          (rest > 0n ? ` It covers no more: ${gpuHours(rest)} stay owed.` : ""),
      )}
      {own && (
        <Box w="fit-content" maw={320}>
          <SendButton
            variant="default"
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
        </Box>
      )}
    </Stack>
  );
}
