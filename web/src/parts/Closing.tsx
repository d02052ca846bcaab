import { Stack, Text } from "@mantine/core";
import type { Schemas } from "../api/client";
import type { LifeCycle } from "../chain/lifeCycle";
import { gpuHours } from "../format/money";
import { Amount } from "./Amount";
import { AmountFigure } from "./AmountFigure";
import { DataTable } from "./DataTable";
import { Figure, Figures } from "./Figure";
import { closingRows } from "./closingRows";

/** What a closing shared, with whom, and what stays owed. */
export function Closing({
  closing,
  facts,
}: {
  closing: Schemas["ClosingOut"];
  facts: Pick<LifeCycle, "claims">;
}) {
  return (
    <Stack gap="sm">
      <Figures>
        <Figure
          name="Missing GPU-hours"
          value={gpuHours(closing.missing_gpu_seconds)}
          about="promised and not delivered"
        />
        <AmountFigure name="Bond" micros={closing.bond_micros} about="as it was" />
        <AmountFigure
          name="Unearned proceeds"
          micros={closing.escrow_micros}
          about="of the sale, not released"
        />
        <AmountFigure
          name="Paid as rent"
          micros={closing.advanced_micros}
          about="by the bond, in place of renters"
        />
      </Figures>
      <DataTable
        caption="What the closing gave"
        rows={closingRows(closing, facts.claims)}
        rowKey={(row) => row.who}
        columns={[
          { head: "To", rowHead: true, cell: (row) => row.who },
          { head: "Got", number: true, cell: (row) => <Amount micros={row.gotMicros} /> },
          {
            head: "Still owed",
            number: true,
            cell: (row) => (row.owedMicros === null ? "" : <Amount micros={row.owedMicros} />),
          },
        ]}
      />
      <Text size="xs" c="dimmed" maw={760}>
        Shares of units stream to their holders over an epoch, at least a day. What is still owed is
        paid only by rent that comes late, and before that rent is shared. It first pays what the
        bond paid in its place.
      </Text>
    </Stack>
  );
}
