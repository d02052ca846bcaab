import { Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Abi, Hash } from "viem";
import { useService } from "../api/service";
import { facilityRegistryAbi, rentLockboxAbi } from "../chain/abis";
import { type Act, type LifeCycle, actsOf } from "../chain/lifeCycle";
import type { Call } from "../chain/send";
import { SendButton } from "./SendButton";
import { TxState } from "./TxState";
import { actText, standingText } from "./endingText";

/** Where a facility stands on its way to its end, and what anybody can do about that, each act with its time. */
export function Ending({ facilityId, facts }: { facilityId: number; facts: LifeCycle }) {
  // Kept here: an act that was done goes away, and what became of the transaction must not.
  const [hash, setHash] = useState<Hash | null>(null);
  const acts = actsOf(facts);
  return (
    <Stack gap="sm">
      <Text size="sm" maw={760}>
        {standingText(facts)}
      </Text>
      {acts.length > 0 && (
        <Stack component="ul" aria-label="What anybody can do" gap="sm" m={0} p={0}>
          {acts.map((act) => (
            <ActRow
              key={act.name}
              facilityId={facilityId}
              act={act}
              facts={facts}
              onSent={setHash}
            />
          ))}
        </Stack>
      )}
      {hash !== null && <TxState hash={hash} />}
    </Stack>
  );
}

function ActRow({
  facilityId,
  act,
  facts,
  onSent,
}: {
  facilityId: number;
  act: Act;
  facts: LifeCycle;
  onSent: (hash: Hash) => void;
}) {
  const { contracts } = useService();
  const text = actText(act, facts, facilityId);
  const closes = act.name === "close";
  const address = closes ? contracts.RentLockbox : contracts.FacilityRegistry;
  const call: Call | null =
    address === undefined
      ? null
      : {
          address,
          abi: (closes ? rentLockboxAbi : facilityRegistryAbi) as unknown as Abi,
          functionName: act.name,
          args: [BigInt(facilityId), ...(act.epoch === null ? [] : [act.epoch])],
          label: text.label,
        };
  return (
    <Group
      component="li"
      className="surface"
      p="md"
      gap="md"
      justify="space-between"
      style={{ listStyle: "none" }}
    >
      <Text size="sm" maw={560}>
        {text.sentence}
      </Text>
      {act.fromS <= facts.nowS && (
        <SendButton variant="default" withState={false} onSent={onSent} call={call}>
          {text.button}
        </SendButton>
      )}
    </Group>
  );
}
