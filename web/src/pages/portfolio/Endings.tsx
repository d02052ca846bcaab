import { Stack, Text } from "@mantine/core";
import { type LifeCycle, hasEnded } from "../../chain/lifeCycle";
import { useLifeCycle } from "../../chain/useLifeCycle";
import { trancheName } from "../../format/tranche";
import { Amount } from "../../parts/Amount";
import { Ending } from "../../parts/Ending";
import { Section } from "../../parts/Section";
import { CLOSING_RULES } from "../../parts/endingText";
import { useClosing, useStakes } from "./endedQueries";
import type { PositionRow } from "./queries";

/** Facilities of the account that ended: when they can be closed, what waits for that, and what it gave. */
export function Endings({ rows }: { rows: readonly PositionRow[] }) {
  const byFacility = new Map<number, PositionRow[]>();
  for (const row of rows) {
    if (row.units === 0 || !hasEnded(row.state)) continue;
    byFacility.set(row.facility_id, [...(byFacility.get(row.facility_id) ?? []), row]);
  }
  if (byFacility.size === 0) return null;
  return (
    <Section title="Ended facilities" about={CLOSING_RULES}>
      <Stack gap="lg">
        {[...byFacility].map(([facilityId, own]) => (
          <OfFacility key={facilityId} facilityId={facilityId} rows={own} />
        ))}
      </Stack>
    </Section>
  );
}

function OfFacility({ facilityId, rows }: { facilityId: number; rows: readonly PositionRow[] }) {
  const { data: facts } = useLifeCycle(facilityId);
  if (facts == null) return null;
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {rows[0]?.facility_name}
      </Text>
      <Ending facilityId={facilityId} facts={facts} />
      {facts.closedAtS === null ? (
        <Waiting facilityId={facilityId} />
      ) : (
        rows.map((row) => <Gave key={row.token_id} row={row} facts={facts} />)
      )}
    </Stack>
  );
}

/** What the closing will share. */
function Waiting({ facilityId }: { facilityId: number }) {
  const { data: stakes } = useStakes(facilityId);
  if (stakes === undefined) return null;
  return (
    <Text size="sm" maw={760}>
      What waits for it: a bond of <Amount micros={stakes.bondMicros} symbol /> and{" "}
      <Amount micros={stakes.escrowMicros} symbol /> of sale proceeds that were not released. Of
      these proceeds, what delivery earned is the operator's. A missing GPU-hour costs{" "}
      <Amount micros={stakes.rateMicros} digits={4} symbol />.
    </Text>
  );
}

/** What the closing gave to units of a tranche, and what stays owed to them. */
function Gave({ row, facts }: { row: PositionRow; facts: LifeCycle }) {
  const { data: closing } = useClosing(row.facility_id);
  // The index may be some blocks behind the closing.
  if (closing == null) return null;
  const owed = facts.claims.unitsMicros[row.seniority] ?? 0n;
  return (
    <Text size="sm" maw={760}>
      All units of {trancheName(row.seniority, row.tranche_count)} together got{" "}
      <Amount micros={closing.to_units_micros[row.seniority]} symbol />, which streams to them over
      an epoch, but at least a day
      {owed > 0n ? (
        <>
          ; <Amount micros={owed} symbol /> stay owed to them
        </>
      ) : (
        ", and nothing stays owed to them"
      )}
      .
    </Text>
  );
}
