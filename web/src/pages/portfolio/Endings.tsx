import { Stack, Text } from "@mantine/core";
import { hasEnded } from "../../chain/lifeCycle";
import { useLifeCycle } from "../../chain/useLifeCycle";
import { Ending } from "../../parts/Ending";
import { Section } from "../../parts/Section";
import { CLOSING_RULES } from "../../parts/endingText";
import type { PositionRow } from "./queries";

/** Facilities of the account that ended and wait for their closing. */
export function Endings({ rows }: { rows: readonly PositionRow[] }) {
  const ended = rows.filter((row) => row.units > 0 && hasEnded(row.state));
  const byFacility = new Map(ended.map((row) => [row.facility_id, row]));
  if (byFacility.size === 0) return null;
  return (
    <Section title="Ended facilities" about={CLOSING_RULES}>
      <Stack gap="lg">
        {[...byFacility.values()].map((row) => (
          <OfFacility key={row.facility_id} row={row} />
        ))}
      </Stack>
    </Section>
  );
}

function OfFacility({ row }: { row: PositionRow }) {
  const { data: facts } = useLifeCycle(row.facility_id);
  if (facts == null) return null;
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {row.facility_name}
      </Text>
      <Ending facilityId={row.facility_id} facts={facts} />
    </Stack>
  );
}
