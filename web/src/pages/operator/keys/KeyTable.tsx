import { Button, Group, Stack, Text } from "@mantine/core";
import { DataTable } from "../../../parts/DataTable";
import { Account, Hash } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { Status } from "../../../parts/Status";
import { type ApiKey, type KeyChange, actorText, endOf, scopesText, stateWord } from "./keyTexts";

/** A dialog about keys. */
export type Shown = { kind: "make" } | { kind: "rotate" | "revoke"; apiKey: ApiKey };

/** Keys, and what can be done with each that works. */
export function KeyTable({
  keys,
  onDialog,
}: {
  keys: readonly ApiKey[];
  onDialog: (dialog: Shown) => void;
}) {
  return (
    <DataTable
      caption="API keys"
      rows={keys}
      rowKey={(k) => k.key_id}
      columns={[
        { head: "Key", rowHead: true, cell: (k) => <NameCell name={k.name} keyId={k.key_id} /> },
        {
          head: "State",
          cell: (k) => {
            const { word, tone } = stateWord(k.state);
            return (
              <Status state={k.state} tone={tone}>
                {word}
              </Status>
            );
          },
        },
        { head: "May", wraps: true, cell: (k) => scopesText(k.scopes) },
        {
          head: "Last used",
          cell: (k) =>
            k.last_used_s === null ? (
              <Text size="sm" c="dimmed">
                never
              </Text>
            ) : (
              <Instant seconds={k.last_used_s} />
            ),
        },
        {
          head: "Made",
          cell: (k) => (
            <Stack gap={0}>
              <Instant seconds={k.created_at_s} />
              <Actor actor={k.created_by} />
            </Stack>
          ),
        },
        { head: "Ends", cell: (k) => <End apiKey={k} /> },
        { head: "Change", cell: (k) => <Changing apiKey={k} onDialog={onDialog} /> },
      ]}
    />
  );
}

function NameCell({ name, keyId }: { name: string; keyId: string }) {
  return (
    <Stack gap={0} miw={170} maw={260}>
      <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
        {name}
      </Text>
      <Text size="xs" component="span">
        <Hash value={keyId} whole copy={false} />
      </Text>
    </Stack>
  );
}

function Actor({ actor }: { actor: string }) {
  const text = actorText(actor);
  return (
    <Text size="xs" c="dimmed" component="span">
      by{" "}
      {text ??
        (actor.startsWith("0x") ? (
          <Account address={actor} copy={false} />
        ) : (
          <Hash value={actor} whole copy={false} />
        ))}
    </Text>
  );
}

function End({ apiKey }: { apiKey: ApiKey }) {
  const end = endOf(apiKey);
  if (end === null) {
    return (
      <Text size="sm" c="dimmed">
        no end
      </Text>
    );
  }
  return (
    <Stack gap={0}>
      <Instant seconds={end} />
      {apiKey.successor_id !== null && (
        <Text size="xs" c="dimmed" component="span">
          replaced by <Hash value={apiKey.successor_id} whole copy={false} />
        </Text>
      )}
    </Stack>
  );
}

function Changing({ apiKey, onDialog }: { apiKey: ApiKey; onDialog: (dialog: Shown) => void }) {
  const { state, name } = apiKey;
  const button = (kind: "rotate" | "revoke", word: string) => (
    <Button
      variant="default"
      size="xs"
      aria-label={`${word} ${name}`}
      onClick={() => onDialog({ kind, apiKey })}
    >
      {word}
    </Button>
  );
  return (
    <Group gap={6} wrap="nowrap">
      {state === "live" && button("rotate", "Rotate")}
      {(state === "live" || state === "ending") && button("revoke", "Revoke")}
    </Group>
  );
}

/** Who made, rotated and revoked which key. */
export function ChangeTable({ changes }: { changes: readonly KeyChange[] }) {
  return (
    <DataTable
      caption="Changes of keys"
      rows={changes.map((change, i) => ({ ...change, i }))}
      rowKey={(c) => c.i}
      columns={[
        { head: "When", cell: (c) => <Instant seconds={c.at_s} /> },
        {
          head: "Key",
          rowHead: true,
          cell: (c) => <NameCell name={c.name} keyId={c.key_id} />,
        },
        {
          head: "What",
          cell: (c) => (
            <Stack gap={0}>
              <Text size="sm" tt="capitalize">
                {c.change}
              </Text>
              {c.ends_at_s !== null && (
                <Text size="xs" c="dimmed" component="span">
                  ends <Instant seconds={c.ends_at_s} />
                </Text>
              )}
            </Stack>
          ),
        },
        { head: "Who", cell: (c) => <Actor actor={c.actor} /> },
      ]}
    />
  );
}
