import { Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { counted } from "../../../format/money";
import { DataTable } from "../../../parts/DataTable";
import { Notice } from "../../../parts/Notice";
import { fieldErrors } from "../forms/fieldErrors";
import { FileField } from "./FileField";
import { type DeviceFile, FILE_PLACES, fileError, readDevices } from "./fileQueries";
import { deviceLines } from "./deviceRows";

/** Refused rows that are shown; the others are counted. */
const SHOWN = 50;

/** Devices of a CSV file, for the list of an offer: all of them, or none. */
export function DevicesFile({ onDevices }: { onDevices: (lines: string) => void }) {
  const reading = useMutation({
    mutationFn: readDevices,
    onSuccess: (found) => {
      if (found.refused.length === 0 && found.devices.length > 0) onDevices(deviceLines(found));
    },
  });
  const errors = fieldErrors(reading.error, FILE_PLACES);
  return (
    <Stack gap="xs" aria-busy={reading.isPending}>
      <FileField
        label="Devices from a file"
        description="CSV with column device; of slices also card and profile. It takes the place of the list above."
        error={fileError(errors) ?? errors[""]}
        onChoose={(file) => {
          reading.reset();
          if (file !== null) reading.mutate(file);
        }}
      />
      {reading.data !== undefined && <Said name={reading.variables.name} found={reading.data} />}
    </Stack>
  );
}

function Said({ name, found }: { name: string; found: DeviceFile }) {
  const { devices, refused } = found;
  if (refused.length === 0)
    return (
      <Text size="sm" c="dimmed" role="status" style={{ overflowWrap: "anywhere" }}>
        {devices.length === 0
          ? `${name} names no device.`
          : `${counted(devices.length, "device")} of ${name} stand in the list.`}
      </Text>
    );
  return (
    <>
      <Notice tone="bad" alert>
        {counted(refused.length, "row")} of {name} cannot be taken, so none is: put them right and
        choose the file again.
      </Notice>
      <DataTable
        caption="Refused rows of the file"
        rows={refused.slice(0, SHOWN)}
        rowKey={(row) => row.line}
        columns={[
          { head: "Line", number: true, cell: (row) => row.line },
          {
            head: "Device",
            rowHead: true,
            wraps: true,
            cell: (row) => <span style={{ overflowWrap: "anywhere" }}>{row.name}</span>,
          },
          {
            head: "Why",
            cell: (row) => (
              <Text size="xs" miw={240} style={{ whiteSpace: "normal", overflowWrap: "anywhere" }}>
                <code>{row.reason}</code>: {row.detail}
              </Text>
            ),
          },
        ]}
      />
      {refused.length > SHOWN && (
        <Text size="sm">and {counted(refused.length - SHOWN, "more row")}</Text>
      )}
    </>
  );
}
