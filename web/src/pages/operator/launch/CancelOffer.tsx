import { Button, Group, List, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Amount } from "../../../parts/Amount";
import { Section } from "../../../parts/Section";
import { Dialog } from "../forms/Dialog";
import { OwnSend } from "../forms/OwnSend";
import { type ChainFacts, useChainFacts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";

/** The way back from an offer, while there is one: the contract takes it until the first unit is sold. */
export function CancelOffer({ facilityId, name }: { facilityId: number; name: string }) {
  const { data: facts } = useChainFacts(facilityId);
  const [opened, setOpened] = useState(false);
  if (facts?.state !== "offered") return null;
  const sold = facts.sale !== null && facts.sale.soldUnits > 0n;
  const placed = facts.sale === null && facts.tranches.some((t) => t.supplyUnits > 0n);
  return (
    <Section
      title="Cancel the offer"
      about={
        sold
          ? "Units of this facility are sold, and their buyers rely on it: the offer can no longer be cancelled."
          : "Takes the facility back for good, as long as no unit of it is sold."
      }
    >
      {sold ? (
        <Text size="sm">
          If its sale ends below the floor, the facility is cancelled and buyers get their money
          back.
        </Text>
      ) : (
        <Group>
          <Button variant="default" onClick={() => setOpened(true)}>
            Cancel the offer…
          </Button>
        </Group>
      )}
      <Dialog
        title={`Cancel the offer of ${name}?`}
        opened={opened && !sold}
        onClose={() => setOpened(false)}
      >
        <Confirm
          facilityId={facilityId}
          facts={facts}
          placed={placed}
          onKeep={() => setOpened(false)}
        />
      </Dialog>
    </Section>
  );
}

function Confirm({
  facilityId,
  facts,
  placed,
  onKeep,
}: {
  facilityId: number;
  facts: ChainFacts;
  placed: boolean;
  onKeep: () => void;
}) {
  const call = useFacilityCall("FacilityRegistry", facilityId);
  return (
    <Stack gap="md">
      <List size="sm" spacing={6} pr="md">
        <List.Item>
          The facility ends here: no unit can be minted, sold or delivered under it. Its terms stay
          readable in the register.
        </List.Item>
        {facts.sale !== null && <List.Item>Its sale ends. Nobody has bought.</List.Item>}
        {placed && (
          <List.Item>
            Units that you minted to holders had no price here, so no money comes back for them.
            Their holders can burn them.
          </List.Item>
        )}
        {facts.bondMicros > 0n && (
          <List.Item>
            The bond of <Amount micros={facts.bondMicros} symbol /> is free: release it under Bond,
            then withdraw it under Proceeds.
          </List.Item>
        )}
        <List.Item>Its devices are free to be pledged in a new facility.</List.Item>
      </List>
      <Text size="sm" fw={600}>
        This cannot be undone.
      </Text>
      <Group gap="xs" align="flex-start">
        <OwnSend
          gpuOperator={facts.gpuOperator}
          danger
          call={call("cancel", `Cancel the offer of facility ${facilityId}`)}
        >
          Cancel the offer for good
        </OwnSend>
        <Button variant="default" onClick={onKeep} data-autofocus>
          Keep the offer
        </Button>
      </Group>
    </Stack>
  );
}
