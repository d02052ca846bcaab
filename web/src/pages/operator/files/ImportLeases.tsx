import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { counted } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Notice } from "../../../parts/Notice";
import { Status } from "../../../parts/Status";
import { fieldErrors } from "../forms/fieldErrors";
import { type ConsoleFacility, useChange } from "../queries";
import { FileField } from "./FileField";
import { type CheckedLeases, FILE_PLACES, checkLeases, fileError, sendLeases } from "./fileQueries";
import { type LeaseRow, afterSending, eventsToSend, leaseRows, summaryOf } from "./leaseRows";

/** Leases of a CSV file: chosen, judged row by row, recorded. */
export function ImportLeases({
  facility,
  onDone,
}: {
  facility: ConsoleFacility;
  onDone: () => void;
}) {
  const [file, setFile] = useState<File | null>(null);
  const [missing, setMissing] = useState(false);
  const [zone, setZone] = useState("UTC");
  const checking = useMutation({
    mutationFn: (chosen: File) => checkLeases(facility.facility_id, chosen, zone.trim()),
  });
  const press = (event: FormEvent) => {
    event.preventDefault();
    setMissing(file === null);
    if (file !== null) checking.mutate(file);
  };
  const back = () => {
    // The field is drawn anew, without a file.
    setFile(null);
    checking.reset();
  };
  if (checking.data !== undefined)
    return <Rows checked={checking.data} onBack={back} onDone={onDone} />;
  const errors = fieldErrors(checking.error, FILE_PLACES);
  return (
    <form onSubmit={press} noValidate>
      <Stack gap="sm">
        <Text size="sm">
          A lease a row, with its first terms. Columns: <code>lease_id</code>,{" "}
          <code>renter_ref</code>, <code>from</code>, <code>price_micros_per_gpu_hour</code>; and,
          if wanted, <code>until</code>, <code>max_gpus</code>, <code>committed_gpus</code>,{" "}
          <code>minimum_micros_per_month</code>. A price of 2.49 is <code>2490000</code>. The first
          line names the columns, in any order.
        </Text>
        <FileField
          label="File"
          description="CSV in UTF-8, plain or gzip; at most 1,000 rows"
          error={missing ? "Choose a file." : fileError(errors)}
          required
          onChoose={(chosen) => {
            setFile(chosen);
            setMissing(false);
            checking.reset();
          }}
        />
        <TextInput
          label="Time zone"
          description="Of times without an offset, and of days, such as Europe/Oslo"
          value={zone}
          error={errors["timezone"]}
          onChange={(event) => setZone(event.currentTarget.value)}
        />
        {errors[""] !== undefined && (
          <Notice tone="bad" alert>
            {errors[""]}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" loading={checking.isPending}>
            Check the file
          </Button>
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What would become of each row, or became. */
function Rows({
  checked,
  onBack,
  onDone,
}: {
  checked: CheckedLeases;
  onBack: () => void;
  onDone: () => void;
}) {
  const sending = useChange(sendLeases);
  const sent = sending.data !== undefined;
  const rows = leaseRows(sent ? afterSending(checked, sending.data) : checked);
  const events = eventsToSend(checked);
  const failure = fieldErrors(sending.error, [])[""];
  return (
    <Stack gap="sm">
      <Text size="sm" fw={600} role="status">
        {summaryOf(rows, sent)}
      </Text>
      {rows.length > 0 && (
        <DataTable
          caption="Rows of the file"
          rows={rows}
          rowKey={(row) => `${row.line}`}
          columns={[
            { head: "Line", number: true, cell: (row) => row.line },
            {
              head: "Lease",
              rowHead: true,
              wraps: true,
              cell: (row) => <Named row={row} />,
            },
            {
              head: sent ? "Became" : "Would become",
              cell: (row) => <Became row={row} sent={sent} />,
            },
          ]}
        />
      )}
      {failure !== undefined && (
        <Notice tone="bad" alert>
          {failure} Sending again is safe: what is recorded is not recorded twice.
        </Notice>
      )}
      <Group gap="xs">
        {!sent && events.length > 0 && (
          <Button loading={sending.isPending} onClick={() => sending.mutate(events)} data-autofocus>
            Record {counted(events.length, "lease")}
          </Button>
        )}
        <Button variant="default" onClick={onBack} disabled={sending.isPending}>
          Another file
        </Button>
        <Button variant="default" onClick={onDone}>
          {sent ? "Done" : "Cancel"}
        </Button>
      </Group>
    </Stack>
  );
}

function Named({ row: { lease, price } }: { row: LeaseRow }) {
  return (
    <Stack gap={0} style={{ overflowWrap: "anywhere" }}>
      {lease}
      {price !== null && (
        <Text size="xs" c="dimmed">
          <Amount micros={price.micros} digits={4} /> from {price.from}
        </Text>
      )}
    </Stack>
  );
}

function Became({ row, sent }: { row: LeaseRow; sent: boolean }) {
  if (row.state === "known") return <Status state="there already" tone="quiet" />;
  if (row.state === "fresh")
    return <Status state={sent ? "recorded" : "a new lease"} tone={sent ? "good" : "info"} />;
  return (
    <Stack gap={0} miw={220} align="flex-start" style={{ whiteSpace: "normal" }}>
      <Status state="refused" tone="bad" />
      <Text size="xs" style={{ overflowWrap: "anywhere" }}>
        <code>{row.code}</code>: {row.why}
      </Text>
    </Stack>
  );
}
