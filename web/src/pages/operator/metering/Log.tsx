import { Stack, Text } from "@mantine/core";
import { grouped } from "../../../format/money";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Hash } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { Status } from "../../../parts/Status";
import { type FacilityLog, type LogKey, useLog, useLogKeys } from "../queries";

/** What the facility was told, as one log, and whose keys sign it. */
export function Log({ facilityId }: { facilityId: number }) {
  return (
    <Section
      title="Log"
      about="Each request that told something is an entry, and each entry names the one before. Who signed has a receipt of it."
    >
      <Loaded query={useLog(facilityId)}>{(log) => <Standing log={log} />}</Loaded>
      <Loaded query={useLogKeys(facilityId)}>{(keys) => <Keys keys={keys} />}</Loaded>
    </Section>
  );
}

function Standing({ log }: { log: FacilityLog }) {
  return (
    <Stack gap={4}>
      <Text>
        {grouped(log.size)} {log.size === 1 ? "entry" : "entries"}
        {log.size > 0 && (
          <>
            , the newest of <Instant seconds={log.recorded_at_s} />: <Hash value={log.head} />
          </>
        )}
      </Text>
      {log.due > log.size && (
        <Text fw={600}>
          The log had {grouped(log.due)} entries: the service&apos;s database was restored from an
          older copy. Nothing new is recorded before whoever has their receipts gives them back.
        </Text>
      )}
      <Text size="sm" c="dimmed">
        {log.unsigned === "taken"
          ? "Batches that nobody signed are taken too; every statement says how much rests on signed entries alone."
          : "Only signed requests are taken: API keys and the forms of this console meter nothing and change no lease."}
      </Text>
    </Stack>
  );
}

function Keys({ keys }: { keys: readonly LogKey[] }) {
  if (keys.length === 0)
    return (
      <Empty title="No key signs here yet">
        <code>rentroll ledger-key init</code> makes your ledger key, <code>name</code> prints the
        transaction that names it on-chain, and <code>bring</code> lets it and an agent&apos;s key
        sign from then on.
      </Empty>
    );
  return (
    <DataTable
      caption="Keys of the log"
      rows={keys}
      rowKey={(k) => k.key}
      columns={[
        {
          head: "Name",
          rowHead: true,
          cell: (k) => (
            <Stack gap={0}>
              <Text size="sm">{k.name}</Text>
              <Hash value={k.key} />
            </Stack>
          ),
        },
        {
          head: "Signs",
          cell: (k) => (k.role === "ledger" ? "everything" : "metering and corrections of it"),
        },
        {
          head: "State",
          cell: (k) =>
            k.ended === null ? (
              <Status state="live" tone="good">
                Signs
              </Status>
            ) : (
              <Status state="ended">{`Ended by entry ${grouped(k.ended)}`}</Status>
            ),
        },
        {
          head: "Newest entry",
          cell: (k) => (
            <>
              {grouped(k.last_entry)}, <Instant seconds={k.used_at_s} />
            </>
          ),
        },
      ]}
    />
  );
}
