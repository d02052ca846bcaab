import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { DataTable } from "../../parts/DataTable";
import { Instant } from "../../parts/Instant";
import { Status } from "../../parts/Status";
import type { Live, PositionRow } from "./queries";

/** Where the account holds units, or earned while it did. */
export function Positions({ rows, live }: { rows: PositionRow[]; live: Live | undefined }) {
  const at = (row: PositionRow) => live?.positions.get(row.token_id);
  return (
    <DataTable
      caption="Positions by tranche"
      rows={rows}
      rowKey={(row) => row.token_id}
      columns={[
        {
          head: "Tranche",
          rowHead: true,
          cell: (row) => (
            <Stack gap={0} miw={150}>
              <Anchor component={Link} to={`/tranches/${row.token_id}`} size="sm" fw={600}>
                {row.facility_name}, tranche {row.seniority}
              </Anchor>
              <Text size="xs" c="dimmed">
                {row.gpu_class} · {row.site}
              </Text>
            </Stack>
          ),
        },
        { head: "State", cell: (row) => <Status state={row.state} /> },
        {
          head: "Units",
          number: true,
          cell: (row) => (
            <>
              {grouped(at(row)?.units ?? row.units)}
              {row.frozen_units > 0 && (
                <Text size="xs" c="var(--rr-warning)">
                  {grouped(row.frozen_units)} frozen
                </Text>
              )}
            </>
          ),
        },
        {
          head: "Claimable now",
          number: true,
          cell: (row) => (
            <Amount micros={at(row)?.claimableMicros ?? row.claimable_micros} digits={6} />
          ),
        },
        {
          head: "Still streaming",
          number: true,
          cell: (row) => (
            <Amount micros={at(row)?.streamingMicros ?? row.streaming_micros} digits={6} />
          ),
        },
        { head: "Claimed", number: true, cell: (row) => <Amount micros={row.claimed_micros} /> },
        {
          head: "Accrued in all",
          number: true,
          cell: (row) => {
            const now = at(row)?.claimableMicros;
            return (
              <Amount
                micros={now === undefined ? row.accrued_micros : BigInt(row.claimed_micros) + now}
              />
            );
          },
        },
        { head: "Window ends", cell: (row) => <Instant seconds={row.window_end_s} /> },
      ]}
    />
  );
}
