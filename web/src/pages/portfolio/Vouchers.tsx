import type { Schemas } from "../../api/client";
import { gpuHours } from "../../format/money";
import { DataTable } from "../../parts/DataTable";
import { Hash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Section } from "../../parts/Section";

type Row = Schemas["VoucherOut"];

const open = (row: Row): number =>
  row.owed_gpu_seconds - row.served_gpu_seconds - row.paid_gpu_seconds;

/** Compute that is owed for burned units. */
export function Vouchers({ rows }: { rows: Row[] }) {
  return (
    <Section
      title="Vouchers"
      about="Compute owed for units that were burned. Delivery lines of final statements serve a voucher; what stays unserved after the window is paid from the operator's bond."
    >
      <DataTable
        caption="Vouchers of the account"
        rows={rows}
        rowKey={(row) => row.voucher_id}
        columns={[
          { head: "Voucher", rowHead: true, cell: (row) => `No. ${row.voucher_id}` },
          { head: "Facility", number: true, cell: (row) => row.facility_id },
          { head: "Owed, GPU-hours", number: true, cell: (row) => gpuHours(row.owed_gpu_seconds) },
          { head: "Served", number: true, cell: (row) => gpuHours(row.served_gpu_seconds) },
          { head: "Paid instead", number: true, cell: (row) => gpuHours(row.paid_gpu_seconds) },
          { head: "Still open", number: true, cell: (row) => gpuHours(open(row)) },
          { head: "Lease hash", cell: (row) => <Hash value={row.delivery_ref} /> },
          { head: "Issued", cell: (row) => <Instant seconds={row.issued_at_s} /> },
        ]}
      />
    </Section>
  );
}
