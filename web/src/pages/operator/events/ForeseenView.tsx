import { Stack, Text, Title } from "@mantine/core";
import { useService } from "../../../api/service";
import { gpuHours } from "../../../format/money";
import { statementName } from "../../../format/statement";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Instant } from "../../../parts/Instant";
import { Notice } from "../../../parts/Notice";
import {
  type Change,
  type Foreseen,
  type Preview,
  changeName,
  foreseenTexts,
  monthOf,
  unforeseenText,
  waitingText,
} from "./previewText";

/** What would change: nothing is recorded yet. */
export function ForeseenView({ preview }: { preview: Preview }) {
  const unforeseen = unforeseenText(preview);
  const waiting = waitingText(preview);
  return (
    <Stack gap="sm" aria-live="polite">
      <Text size="sm" fw={600}>
        Nothing is recorded yet. This would change:
      </Text>
      {unforeseen !== null && <Notice tone="info">{unforeseen}</Notice>}
      {preview.statements.map((foreseen) => (
        <OneStatement key={foreseen.epoch} foreseen={foreseen} />
      ))}
      {waiting !== null && <Text size="sm">{waiting}</Text>}
      <Text size="xs" c="dimmed">
        {preview.assumes}
      </Text>
    </Stack>
  );
}

function OneStatement({ foreseen }: { foreseen: Foreseen }) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const name = statementName(foreseen);
  return (
    <Stack gap={6}>
      <Title order={3} size="h6">
        {name}, <Instant seconds={foreseen.start_s} /> to <Instant seconds={foreseen.end_s} />
      </Title>
      {foreseenTexts(foreseen, symbol).map((text) => (
        <Text size="sm" key={text}>
          {text}
        </Text>
      ))}
      {foreseen.changes.length > 0 && (
        <DataTable
          caption={`What changes in ${name}`}
          rows={foreseen.changes}
          rowKey={(c) => `${c.kind} ${c.lease} ${c.month_start_s}`}
          columns={[
            { head: "Lines", rowHead: true, cell: changeName },
            { head: "Lease, month", cell: (c) => <OfCell change={c} /> },
            {
              head: "Hours",
              number: true,
              cell: (c) => <Hours before={c.seconds_before} after={c.seconds_after} />,
            },
            { head: "Charge", number: true, cell: (c) => <Charge change={c} /> },
          ]}
        />
      )}
      {foreseen.changes_left_off > 0 && (
        <Text size="sm">{foreseen.changes_left_off} more rows are not shown.</Text>
      )}
      <Text size="xs" c="dimmed">
        It takes what is recorded before <Instant seconds={foreseen.cut_off_s} />.
      </Text>
    </Stack>
  );
}

function OfCell({ change }: { change: Change }) {
  return (
    <span style={{ overflowWrap: "anywhere" }}>
      {change.lease_id ?? change.lease}, {monthOf(change)}
    </span>
  );
}

function Charge({ change }: { change: Change }) {
  const { charge_before_micros: before, charge_after_micros: after } = change;
  if (before === after) return <Amount micros={after} />;
  return (
    <>
      <Amount micros={before} /> → <Amount micros={after} />
    </>
  );
}

function Hours({ before, after }: { before: number; after: number }) {
  if (before === after) return <>{before === 0 ? "–" : gpuHours(after)}</>;
  return (
    <>
      {gpuHours(before)} → {gpuHours(after)}
    </>
  );
}
