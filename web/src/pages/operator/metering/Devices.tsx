import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { grouped } from "../../../format/money";
import { duration } from "../../../format/time";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Hash } from "../../../parts/Hash";
import { Info } from "../../../parts/Info";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Pager } from "../../../parts/Pager";
import { Section } from "../../../parts/Section";
import { Status, type Tone } from "../../../parts/Status";
import { Unknown } from "../../../parts/Unknown";
import classes from "../Operator.module.css";
import { type Device, PAGE, useDevices } from "../queries";
import { useOffset } from "../sections";
import { Replacements } from "./Replacements";

const LATE_S = 2 * 3_600;

interface Health {
  word: string;
  tone: Tone;
  rank: number;
}

/** A device's metering in one word, worst first. */
export function healthOf(device: Device): Health {
  if (device.conflicts > 0) return { word: "Conflicts", tone: "bad", rank: 0 };
  if (device.pledge === "gone") return { word: "Replaced", tone: "quiet", rank: 5 };
  if (device.pledge === "to_come") return { word: "To come", tone: "quiet", rank: 5 };
  if (device.lag_s !== null && device.lag_s > LATE_S)
    return { word: "Silent", tone: "bad", rank: 1 };
  if (device.last_event_end_s === null) return { word: "No record", tone: "warning", rank: 2 };
  if (device.gap_seconds > 0) return { word: "Gaps", tone: "info", rank: 3 };
  return { word: "Complete", tone: "good", rank: 4 };
}

/** Metering health of every pledged device, those that need a look first; and cards that replace others. */
export function Devices({ facilityId, account }: { facilityId: number; account: string }) {
  const query = useDevices(facilityId);
  const [offset, setOffset] = useOffset();
  return (
    <>
      <Section
        title="Metering by device"
        about="Devices that need a look come first. A gap is time without a record: idle time is a gap too, and costs nothing."
      >
        <Loaded query={query}>
          {(devices) => {
            const sorted = [...devices].sort(
              (a, b) =>
                healthOf(a).rank - healthOf(b).rank ||
                b.gap_seconds - a.gap_seconds ||
                a.uuid.localeCompare(b.uuid),
            );
            return (
              <Stack gap="sm">
                <DeviceTable devices={sorted.slice(offset, offset + PAGE)} />
                <Pager
                  total={sorted.length}
                  offset={offset}
                  limit={PAGE}
                  onOffset={setOffset}
                  label="Pages of devices"
                />
              </Stack>
            );
          }}
        </Loaded>
      </Section>
      <Replacements facilityId={facilityId} account={account} />
      <HowToPush facilityId={facilityId} />
    </>
  );
}

function DeviceTable({ devices }: { devices: readonly Device[] }) {
  if (devices.length === 0) {
    return (
      <Empty title="No device here">
        This page of the list is empty: go back to the first one.
      </Empty>
    );
  }
  return (
    <DataTable
      caption="Table of devices"
      rows={devices}
      rowKey={(d) => d.device}
      columns={[
        { head: "Device", rowHead: true, cell: (d) => <Hash value={d.uuid} /> },
        {
          head: "Metering",
          cell: (d) => {
            const { word, tone } = healthOf(d);
            return (
              <Status state={word} tone={tone}>
                {word}
              </Status>
            );
          },
        },
        { head: "Last record until", cell: (d) => <Instant seconds={d.last_event_end_s} /> },
        {
          head: "Lag",
          number: true,
          cell: (d) => (d.lag_s === null ? <Unknown /> : duration(d.lag_s)),
        },
        { head: "Records", number: true, cell: (d) => grouped(d.records) },
        {
          head: "Gaps",
          number: true,
          cell: (d) => (d.gaps === 0 ? "0" : `${grouped(d.gaps)} (${duration(d.gap_seconds)})`),
        },
        {
          head: "Out of service",
          number: true,
          cell: (d) => (d.outage_seconds === 0 ? "0" : duration(d.outage_seconds)),
        },
        {
          head: (
            <>
              Duplicates{" "}
              <Info label="duplicates">The same event sent again. That is harmless.</Info>
            </>
          ),
          number: true,
          cell: (d) => grouped(d.duplicates),
        },
        {
          head: (
            <>
              Conflicts{" "}
              <Info label="conflicts">
                An event came again under the same id with another content. The first one counts;
                send a correction if it was wrong.
              </Info>
            </>
          ),
          number: true,
          cell: (d) => grouped(d.conflicts),
        },
      ]}
    />
  );
}

/** Where collectors send events. */
export function HowToPush({ facilityId }: { facilityId: number }) {
  return (
    <Section
      title="How to push metering"
      about={
        <>
          Collectors post CloudEvents with your API key, in batches of up to 5 MiB. Each event is
          answered by itself, and sending a batch again is always safe. Fields and codes are in the{" "}
          <Anchor component={Link} to="/docs" inherit underline="always">
            API documentation
          </Anchor>
          .
        </>
      }
    >
      {/* A scrolling frame must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={`surface ${classes.code}`} tabIndex={0} aria-label="Example of a request">
        {`POST ${location.origin}/v1/events
Authorization: Bearer <your API key>
Content-Type: application/cloudevents-batch+json

[{"specversion": "1.0", "type": "rentroll.gpu.usage.v1",
  "source": "collector-1", "id": "0001",
  "data": {"facility_id": ${facilityId}, "device": "GPU-…", "lease": "lease-7",
           "start": "2026-12-01T00:00:00Z", "end": "2026-12-01T01:00:00Z",
           "gpu_seconds": 3600}}]`}
      </pre>
      <Text size="xs" c="dimmed">
        Make a key for each collector on the page of{" "}
        <Anchor component={Link} to="/operator?keys" inherit underline="always">
          API keys
        </Anchor>
        . It needs no more than to push metering.
      </Text>
    </Section>
  );
}
