import { Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Info } from "../../parts/Info";
import { DIFFERENCES, type Difference } from "./differences";
import type { Reconciliation as Row } from "./queries";

export interface Compared {
  rows: Row[];
  total: Row;
  nameOf: (row: Row) => string;
}

/** What explains one number from the next, by facility and in total. */
export function NamedDifferences({ rows, total, nameOf }: Compared) {
  const [everything, setEverything] = useState(false);
  // Those that are nothing everywhere explain nothing: they stand behind a button.
  const open = DIFFERENCES.filter(({ key }) =>
    [total, ...rows].some((row) => row.differences[key] !== 0),
  );
  const shown = everything ? DIFFERENCES : open;
  const quiet = DIFFERENCES.length - open.length;
  const cell = (row: Row, difference: Difference) => {
    const value = row.differences[difference.key];
    // A zero is an answer too, but the others are what to look at.
    if (value === 0) {
      return (
        <Text span size="sm" c="dimmed">
          0
        </Text>
      );
    }
    return difference.unit === "micros" ? (
      <Amount micros={value} digits={6} />
    ) : (
      <span className="figures">{grouped(value)} s</span>
    );
  };
  const columns: Column<Difference>[] = [
    {
      head: "Difference",
      rowHead: true,
      cell: (difference) => (
        <span style={{ whiteSpace: "nowrap" }}>
          {difference.name} <Info label={difference.name}>{difference.what}</Info>
        </span>
      ),
    },
    {
      head: "Stands between",
      cell: (difference) => <span style={{ whiteSpace: "nowrap" }}>{difference.between}</span>,
    },
    ...rows.map((row) => ({
      head: nameOf(row),
      number: true,
      cell: (difference: Difference) => cell(row, difference),
    })),
    { head: "All", number: true, cell: (difference) => cell(total, difference) },
  ];
  return (
    <Stack gap="xs" align="stretch">
      {shown.length > 0 && (
        <DataTable
          caption="What explains one number from the next"
          columns={columns}
          rows={shown}
          rowKey={(difference) => difference.key}
        />
      )}
      {quiet > 0 && (
        <Button
          variant="subtle"
          size="compact-sm"
          style={{ alignSelf: "flex-start" }}
          aria-expanded={everything}
          onClick={() => setEverything(!everything)}
        >
          {everything ? "Show only what is not zero" : `Show ${quiet} that are zero everywhere`}
        </Button>
      )}
    </Stack>
  );
}
