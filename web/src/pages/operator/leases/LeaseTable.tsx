import { Button, Group, Stack, Text } from "@mantine/core";
import { sentenceCase } from "../../../format/text";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Hash } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { Status } from "../../../parts/Status";
import type { Lease } from "../queries";

/** A dialog about leases. */
export type Shown =
  | { kind: "open" }
  | { kind: "file" }
  | { kind: "price" | "close" | "order" | "names"; lease: Lease };

/** Leases, and what can be done with each. */
export function LeaseTable({
  leases,
  onDialog,
}: {
  leases: readonly Lease[];
  onDialog: (dialog: Shown) => void;
}) {
  return (
    <DataTable
      caption="Leases"
      rows={leases}
      rowKey={(l) => l.lease}
      columns={[
        {
          head: "Lease",
          rowHead: true,
          cell: (l) => <NameCell lease={l} />,
        },
        {
          head: "State",
          cell: (l) =>
            l.closed_at_s === null ? (
              <Status state="open" tone="good" />
            ) : (
              <Status state="closed" tone="quiet" />
            ),
        },
        { head: "Plan", cell: (l) => <PlanCell lease={l} /> },
        { head: "Price", cell: (l) => <Prices lease={l} /> },
        {
          head: "From – to",
          cell: (l) => <Period lease={l} />,
        },
        { head: "Attested", number: true, cell: (l) => <Amount micros={l.attested_micros} /> },
        { head: "Reference for rent", cell: (l) => <Hash value={l.lease} /> },
        {
          head: "Change",
          cell: (l) => <Changes lease={l} onDialog={onDialog} />,
        },
      ]}
    />
  );
}

function Changes({ lease, onDialog }: { lease: Lease; onDialog: (dialog: Shown) => void }) {
  const open = lease.closed_at_s === null;
  // What was typed wrong is put right of an ended lease too.
  const actions = [
    ...(open
      ? [{ kind: "order", word: "Delivery order", about: "Delivery order under" } as const]
      : []),
    { kind: "price", word: "New price", about: "New price of" } as const,
    {
      kind: "close",
      word: open ? "Close" : "Change its end",
      about: open ? "Close" : "Change the end of",
    } as const,
    { kind: "names", word: "Secrets", about: "Secrets of" } as const,
  ];
  return (
    <Group gap={6} wrap="nowrap">
      {actions.map(({ kind, word, about }) => (
        <Button
          key={kind}
          variant="default"
          size="xs"
          aria-label={`${about} ${lease.lease_id}`}
          onClick={() => onDialog({ kind, lease })}
        >
          {word}
        </Button>
      ))}
    </Group>
  );
}

function NameCell({ lease }: { lease: Lease }) {
  return (
    <Stack gap={0} miw={140} maw={260}>
      <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
        {lease.lease_id}
      </Text>
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {lease.renter_ref}
      </Text>
    </Stack>
  );
}

function Period({ lease }: { lease: Lease }) {
  return (
    <Stack gap={0} style={{ whiteSpace: "nowrap" }}>
      <Instant seconds={lease.opened_at_s} />
      {lease.closed_at_s === null ? (
        <Text size="xs" c="dimmed">
          no end
        </Text>
      ) : (
        <Instant seconds={lease.closed_at_s} />
      )}
    </Stack>
  );
}

function PlanCell({ lease }: { lease: Lease }) {
  const limits = [
    lease.committed_gpus > 0 ? `${lease.committed_gpus} GPUs committed` : null,
    lease.max_gpus > 0 ? `at most ${lease.max_gpus} GPUs` : null,
  ].filter((part) => part !== null);
  return (
    <Stack gap={0} miw={110}>
      <Text size="sm">{sentenceCase(lease.plan)}</Text>
      {lease.version > 1 && (
        <Text size="xs" c="dimmed">
          terms of version {lease.version}
        </Text>
      )}
      {limits.length > 0 && (
        <Text size="xs" c="dimmed">
          {limits.join(", ")}
        </Text>
      )}
    </Stack>
  );
}

/** The last price first, and what is or was in force before. */
function Prices({ lease }: { lease: Lease }) {
  return (
    <Stack gap={2} miw={170}>
      {[...lease.prices].reverse().map((price, i) => (
        <Text
          key={price.effective_from_s}
          size={i === 0 ? "sm" : "xs"}
          c={i === 0 ? "inherit" : "dimmed"}
        >
          <Amount micros={price.price_micros_per_gpu_hour} digits={i === 0 ? 4 : 2} />
          {price.gpus > 1 && ` for ${price.gpus} GPUs`}
          {lease.prices.length > 1 && (
            <>
              {" "}
              from <Instant seconds={price.effective_from_s} />
            </>
          )}
        </Text>
      ))}
    </Stack>
  );
}
