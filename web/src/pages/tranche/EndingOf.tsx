import { Stack, Text } from "@mantine/core";
import { useLifeCycle } from "../../chain/useLifeCycle";
import { Closing } from "../../parts/Closing";
import { Ending } from "../../parts/Ending";
import { CLOSING_RULES } from "../../parts/endingText";
import type { Tranche } from "./queries";

/** How far the facility is towards its end, by the chain's node; before it is funded, what comes of it then. */
export function EndingOf({ tranche }: { tranche: Tranche }) {
  const { data: facts } = useLifeCycle(tranche.facility_id);
  const closing = tranche.ending?.closing ?? null;
  return (
    <Stack gap="md">
      {facts != null && <Ending facilityId={tranche.facility_id} facts={facts} />}
      {closing !== null && facts != null ? (
        <Closing closing={closing} facts={facts} />
      ) : (
        <Text size="sm" maw={760}>
          {CLOSING_RULES}
        </Text>
      )}
    </Stack>
  );
}
