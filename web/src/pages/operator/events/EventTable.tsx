import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { sentenceCase } from "../../../format/text";
import { DataTable } from "../../../parts/DataTable";
import { Fact, Facts } from "../../../parts/Facts";
import { Instant } from "../../../parts/Instant";
import { Status } from "../../../parts/Status";
import { Unknown } from "../../../parts/Unknown";
import type { Logged } from "./eventQueries";
import { shownJson } from "./previewText";

export type Act = "details" | "void" | "replace";

/** `rentroll.gpu.usage.v1` as `gpu.usage`. */
export const shortType = (type: string) => type.replace(/^rentroll\./, "").replace(/\.v1$/, "");

const sent = (event: Logged, ...names: string[]): string | null => {
  const data = (event.payload["data"] ?? {}) as Record<string, unknown>;
  const inner = (data["replacement"] ?? data) as Record<string, unknown>;
  const found = names.map((name) => inner[name]).find((value) => typeof value === "string");
  return (found as string | undefined) ?? null;
};

/** Accepted events, and what can be done with each. */
export function EventTable({
  events,
  onAct,
}: {
  events: readonly Logged[];
  onAct: (act: Act, event: Logged) => void;
}) {
  return (
    <DataTable
      caption="Table of accepted events"
      rows={events}
      rowKey={(e) => `${e.entry} ${e.place}`}
      columns={[
        { head: "Event", rowHead: true, cell: (e) => <NameCell event={e} /> },
        { head: "Speaks of", cell: (e) => <TimeCell event={e} /> },
        { head: "Lease, device", cell: (e) => <OfCell event={e} /> },
        { head: "Recorded", cell: (e) => <Instant seconds={e.recorded_at_s} /> },
        { head: "State", cell: (e) => <StateCell event={e} /> },
        { head: "Change", cell: (e) => <Acts event={e} onAct={onAct} /> },
      ]}
    />
  );
}

function OfCell({ event }: { event: Logged }) {
  const [lease, device] = [sent(event, "lease", "lease_id"), sent(event, "device")];
  if (lease === null && device === null) return <Unknown />;
  return (
    <Stack gap={0} miw={160} maw={240} style={{ overflowWrap: "anywhere" }}>
      {lease !== null && <Text size="sm">{lease}</Text>}
      {device !== null && (
        <Text size="xs" c="dimmed" className="hash">
          {device}
        </Text>
      )}
    </Stack>
  );
}

function NameCell({ event }: { event: Logged }) {
  return (
    <Stack gap={0} miw={150} maw={240}>
      <Text size="sm" fw={600}>
        {shortType(event.type)}
      </Text>
      <Text size="xs" c="dimmed" className="hash" style={{ overflowWrap: "anywhere" }}>
        {event.id}
      </Text>
    </Stack>
  );
}

function TimeCell({ event: { time } }: { event: Logged }) {
  if (time === null) return <Unknown />;
  return (
    <Stack gap={0} style={{ whiteSpace: "nowrap" }}>
      <Instant seconds={time.start_s} />
      <Instant seconds={time.until_s} />
    </Stack>
  );
}

const TONES = { stands: "good", open: "info", ended: "good", voided: "bad" } as const;

function StateCell({ event }: { event: Logged }) {
  return (
    <Stack gap={2} align="flex-start" miw={110}>
      <Status state={event.state} tone={TONES[event.state]} />
      {event.voided_by !== null && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          by {event.voided_by.id}
        </Text>
      )}
      {event.sealed && (
        <Text size="xs" c="dimmed">
          month sealed
        </Text>
      )}
    </Stack>
  );
}

function Acts({ event, onAct }: { event: Logged; onAct: (act: Act, event: Logged) => void }) {
  const acts: readonly Act[] = event.correctable ? ["details", "void", "replace"] : ["details"];
  return (
    <Group gap={6} wrap="nowrap">
      {acts.map((act) => (
        <Button
          key={act}
          variant="default"
          size="xs"
          aria-label={`${sentenceCase(act)}: ${event.id}`}
          onClick={() => onAct(act, event)}
        >
          {sentenceCase(act)}
        </Button>
      ))}
    </Group>
  );
}

/** Everything that is known of an event. */
export function EventDetails({ facilityId, event }: { facilityId: number; event: Logged }) {
  return (
    <Stack gap="sm">
      <Facts>
        <Fact name="Source">{event.source}</Fact>
        <Fact name="Id">{event.id}</Fact>
        <Fact name="Recorded">
          <Instant seconds={event.recorded_at_s} />
        </Fact>
        <Fact name="Place in the log">
          entry {event.entry}, {event.place}
        </Fact>
        <Fact name="State">{sentenceCase(event.state)}</Fact>
        {event.voided_by !== null && (
          <Fact name="Taken back by">
            {event.voided_by.id} of {event.voided_by.source},{" "}
            <Instant seconds={event.voided_by.recorded_at_s} />
          </Fact>
        )}
        {event.voided_by?.reason != null && <Fact name="Because">{event.voided_by.reason}</Fact>}
        {event.time !== null && event.time.until_s !== event.time.end_s && (
          <Fact name="Told until, stands until">
            <Instant seconds={event.time.end_s} />, <Instant seconds={event.time.until_s} />
          </Fact>
        )}
        <Fact name="First statement that had it">
          {event.stated_in === null ? (
            "none yet"
          ) : (
            <Anchor
              component={Link}
              to={`/facilities/${facilityId}/epochs/${event.stated_in}`}
              inherit
              underline="always"
            >
              {event.stated_in}
            </Anchor>
          )}
        </Fact>
      </Facts>
      <Text size="sm" fw={600}>
        As it was sent
      </Text>
      <pre
        className="surface"
        // A long event scrolls by itself, and so must be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="region"
        aria-label="The event as it was sent"
        style={{ margin: 0, padding: 12, overflow: "auto", maxHeight: 360 }}
      >
        {shownJson(event.payload)}
      </pre>
    </Stack>
  );
}
