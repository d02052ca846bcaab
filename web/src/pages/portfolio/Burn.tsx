import { Stack, Text } from "@mantine/core";
import type { Hash } from "viem";
import { counted, exactMoney } from "../../format/money";
import { Notice } from "../../parts/Notice";
import type { Held, LivePosition } from "./queries";
import { UnitsForm } from "./UnitsForm";

/** Burns units of a facility that has ended. */
export function Burn({
  held,
  live,
  onSent,
}: {
  held: Held;
  live: LivePosition;
  onSent: (hash: Hash) => void;
}) {
  const { token_id, facility_name, seniority } = held.row;
  return (
    <Stack gap="sm" align="stretch">
      <Text size="sm" maw={640}>
        The facility has ended: its units stand for no more compute. Burning takes them out of your
        account, and nothing is paid for it. What they earned until then stays yours and claimable.
      </Text>
      <Notice tone="warning">
        Burned units earn nothing any more, also if rent, a bond or sale proceeds still reach
        holders later.
        {live.streamingMicros > 0n &&
          ` ${exactMoney(live.streamingMicros)} still streams to the units you hold; what has not vested goes to the other holders, unless yours are the last units.`}{" "}
        It cannot be undone.
      </Notice>
      <UnitsForm
        free={held.free}
        word="Burn expired units"
        onSent={onSent}
        callOf={(units) => ({
          functionName: "burnExpired",
          args: [BigInt(token_id), units],
          label: `Burn ${counted(units, "expired unit")} of ${facility_name}, tranche ${seniority}`,
        })}
      />
    </Stack>
  );
}
