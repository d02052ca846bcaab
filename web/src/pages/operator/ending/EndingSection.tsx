import { Stack } from "@mantine/core";
import { useLifeCycle } from "../../../chain/useLifeCycle";
import { Closing } from "../../../parts/Closing";
import { Empty } from "../../../parts/Empty";
import { Ending } from "../../../parts/Ending";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { CLOSING_RULES } from "../../../parts/endingText";
import { useFacility } from "../queries";
import { Publish } from "./Publish";

/** Overdue epochs, notice of default, and how the facility ends and is closed. */
export function EndingSection({ facilityId }: { facilityId: number }) {
  const query = useLifeCycle(facilityId);
  const closing = useFacility(facilityId).data?.ending?.closing ?? null;
  return (
    <Section title="Default and end" about={CLOSING_RULES}>
      <Loaded query={query} lines={3}>
        {(facts) =>
          facts === null ? (
            <Empty title="Not funded">
              A facility can default, mature or be stopped once it is funded. An offer that is not
              funded expires or is cancelled.
            </Empty>
          ) : (
            <Stack gap="lg">
              <Ending facilityId={facilityId} facts={facts} />
              <Publish facilityId={facilityId} facts={facts} />
              {closing !== null && <Closing closing={closing} facts={facts} />}
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
