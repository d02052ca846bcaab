import { Anchor, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { nameInFacility } from "../../format/tranche";
import { Amount } from "../../parts/Amount";
import { Card, Cards } from "../../parts/Cards";
import { DataTable } from "../../parts/DataTable";
import { Instant } from "../../parts/Instant";
import { Status } from "../../parts/Status";
import { useNarrow } from "../../parts/useNarrow";
import type { Live, PositionRow } from "./queries";

/** Where the account holds units, or earned while it did. */
export function Positions({ rows, live }: { rows: PositionRow[]; live: Live | undefined }) {
  const narrow = useNarrow("64em");
  const figures = figuresOf(live);
  if (narrow) {
    return (
      <Cards label="Positions by tranche">
        {rows.map((row) => (
          <Card
            key={row.token_id}
            title={nameInFacility(row)}
            to={`/tranches/${row.token_id}`}
            under={kindOf(row)}
            status={<Status state={row.state} />}
            facts={figures.map(([name, cell]) => [name, cell(row)] as const)}
          />
        ))}
      </Cards>
    );
  }
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
            <Stack gap={0}>
              <Anchor component={Link} to={`/tranches/${row.token_id}`} size="sm" fw={600}>
                {nameInFacility(row)}
              </Anchor>
              <Text size="xs" c="dimmed">
                {kindOf(row)}
              </Text>
            </Stack>
          ),
        },
        { head: "State", cell: (row) => <Status state={row.state} /> },
        ...figures.map(([head, cell]) => ({ head, cell, number: true })),
      ]}
    />
  );
}

const kindOf = (row: PositionRow): string => `${row.gpu_class} · ${row.site}`;

/** Figures of a position: by the chain where it was read, else by the index. */
function figuresOf(
  live: Live | undefined,
): readonly (readonly [string, (row: PositionRow) => ReactNode])[] {
  const at = (row: PositionRow) => live?.positions.get(row.token_id);
  return [
    [
      "Units",
      (row) => (
        <>
          {grouped(at(row)?.units ?? row.units)}
          {row.frozen_units > 0 && (
            <Text size="xs" c="var(--rr-warning)">
              {grouped(row.frozen_units)} frozen
            </Text>
          )}
        </>
      ),
    ],
    [
      "Claimable now",
      (row) => <Amount micros={at(row)?.claimableMicros ?? row.claimable_micros} digits={6} />,
    ],
    [
      "Still streaming",
      (row) => <Amount micros={at(row)?.streamingMicros ?? row.streaming_micros} digits={6} />,
    ],
    ["Claimed", (row) => <Amount micros={row.claimed_micros} />],
    [
      "Accrued in all",
      (row) => {
        const now = at(row)?.claimableMicros;
        return (
          <Amount
            micros={now === undefined ? row.accrued_micros : BigInt(row.claimed_micros) + now}
          />
        );
      },
    ],
    ["Window ends", (row) => <Instant seconds={row.window_end_s} />],
  ];
}
