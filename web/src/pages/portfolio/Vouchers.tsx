import { Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address, Hash as TransactionHash } from "viem";
import { useContractAddress } from "../../api/service";
import { rentLockboxAbi } from "../../chain/abis";
import { exactMoney, gpuHours, grouped } from "../../format/money";
import { instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Hash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Section } from "../../parts/Section";
import { SendButton } from "../../parts/SendButton";
import { TxState } from "../../parts/TxState";
import { Unknown } from "../../parts/Unknown";
import { OwedByLockbox } from "./OwedByLockbox";
import { type LiveVoucher, type VoucherRow, useLiveVouchers } from "./liveVouchers";

/** Compute that is owed for burned units, and what the closing gives where it was not served. */
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
    at(row)?.openGpuSeconds ?? BigInt(row.owed_gpu_seconds - row.served_gpu_seconds);
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
    { head: "Still open", number: true, cell: (row) => gpuHours(open(row)) },
    {
      head: "Credited in money",
      number: true,
      cell: (row) => <Amount micros={at(row)?.creditedMicros ?? row.paid_micros} digits={6} />,
    },
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
      about="Compute owed for units that were burned. The service serves a voucher from the delivery lines of final statements by itself; what stays open is paid in money by the closing of the facility, as far as bond and unearned proceeds go."
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
      <OwedByLockbox owed={live?.owed ?? []} account={account} own={own} />
    </Section>
  );
}

/** Whether the open part is served, waits for the closing or is paid. */
function nextOf({ standing }: LiveVoucher): string {
  switch (standing.kind) {
    case "served":
      return "Served in full.";
    case "running":
      return "Served by delivery lines while the facility delivers.";
    case "waiting":
      return `The facility has ended: its closing, from ${instant(standing.fromS)} on, pays for what is then open.`;
    case "payable":
      return "The closing gave money for it, which can be credited now.";
    case "credited":
      return [
        standing.amountMicros === 0n
          ? "The facility is closed, and nothing was left for it."
          : "The facility is closed, and all that there is was credited.",
        standing.more ? " Rent that comes late may still pay more." : "",
      ].join("");
  }
}

/** A voucher for which the closing gave money, in words, with the button that credits it. */
function Payable({
  row,
  live,
  onSent,
}: {
  row: VoucherRow;
  live: LiveVoucher;
  onSent: (hash: TransactionHash) => void;
}) {
  const lockbox = useContractAddress("RentLockbox");
  const { standing, openGpuSeconds, symbol } = live;
  if (standing.kind !== "payable") return null;
  const hours = gpuHours(openGpuSeconds);
  const amount = `${exactMoney(standing.amountMicros)} ${symbol}`;
  return (
    <Stack className="surface" p="md" gap="sm" align="flex-start">
      <Text size="sm" maw={760}>
        Voucher {row.voucher_id}: the closing gave <strong>{amount}</strong> for {hours} GPU-hours
        that were not served. It is credited in the rent lockbox first, and withdrawn from there.
      </Text>
      <SendButton
        withState={false}
        onSent={onSent}
        call={{
          address: lockbox,
          abi: rentLockboxAbi as unknown as Abi,
          functionName: "payVoucher",
          args: [BigInt(row.voucher_id)],
          label: `Credit of ${amount} for ${hours} unserved GPU-hours of voucher ${row.voucher_id}`,
        }}
      >
        Credit it
      </SendButton>
    </Stack>
  );
}
