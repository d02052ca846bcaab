import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { hasEnded } from "../../../chain/lifeCycle";
import { LIVE_FACILITY_STATES } from "../../../generated/states";
import { Amount } from "../../../parts/Amount";
import { AmountFigure } from "../../../parts/AmountFigure";
import { Empty } from "../../../parts/Empty";
import { Figures } from "../../../parts/Figure";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { SendButton } from "../../../parts/SendButton";
import { BondDeposit } from "./BondDeposit";
import { BondTermsForm } from "./BondTermsForm";
import { Offered } from "../launch/Offered";
import { type ChainFacts, useContracts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";
import { useBond } from "../queries";
import { sectionPath } from "../sections";

/** The bond: its terms, what is held, and adding to it. */
export function BondSection({ facilityId }: { facilityId: number }) {
  const query = useBond(facilityId);
  const deployed = useContracts() !== null;
  return (
    <Section
      title="Bond"
      about="What you have at stake. It never falls while the facility delivers; the closing pays it out: unpaid rent and missing hours first, the rest to you."
    >
      <Loaded query={query}>
        {(bond) => (
          <Stack gap="lg">
            {bond !== null && (
              <Figures>
                <AmountFigure
                  name="Held"
                  micros={bond.bond_micros}
                  about={
                    <>
                      minimum <Amount micros={bond.required_bond_micros} />
                    </>
                  }
                />
                <AmountFigure
                  name="Missing GPU-hour"
                  micros={bond.rate_micros_per_gpu_hour}
                  digits={4}
                  about="agreed price"
                  source="What each GPU-hour costs that was promised and not delivered: holders claim it at the closing, as far as their units would have earned it."
                />
              </Figures>
            )}
            {deployed && <OnChain facilityId={facilityId} known={bond !== null} />}
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function OnChain({ facilityId, known }: { facilityId: number; known: boolean }) {
  return (
    <Offered facilityId={facilityId} none="No bond yet" lines={2}>
      {(facts) => {
        const units = facts.tranches.reduce((sum, t) => sum + t.supplyUnits, 0n);
        const agreed = known || facts.bondTerms !== null;
        if (!agreed && (facts.state !== "offered" || units > 0n)) {
          return (
            <Empty title="No bond was agreed">
              Its terms can only be set while a facility is offered and has no units.
            </Empty>
          );
        }
        if (!agreed)
          return <BondTermsForm facilityId={facilityId} gpuOperator={facts.gpuOperator} />;
        return <Actions facilityId={facilityId} facts={facts} />;
      }}
    </Offered>
  );
}

function Actions({ facilityId, facts }: { facilityId: number; facts: ChainFacts }) {
  const call = useFacilityCall("BondVault", facilityId);
  const requiredMicros = facts.bondTerms?.requiredMicros ?? 0n;
  return (
    <Stack gap="md">
      {LIVE_FACILITY_STATES.has(facts.state) && (
        <BondDeposit
          facilityId={facilityId}
          token={facts.token}
          missingMicros={requiredMicros > facts.bondMicros ? requiredMicros - facts.bondMicros : 0n}
        />
      )}
      {facts.state === "cancelled" && facts.bondMicros > 0n && (
        <>
          <Text size="sm">
            The offer was cancelled: the bond is yours. Take it in two steps: release it here, then
            withdraw it under Proceeds.
          </Text>
          <Group>
            <SendButton call={call("release", "Release the bond")}>Release the bond</SendButton>
          </Group>
        </>
      )}
      {hasEnded(facts.state) && facts.bondMicros > 0n && (
        <Text size="sm">
          The facility has ended: its closing pays the bond out.{" "}
          <Anchor
            component={Link}
            to={sectionPath(facilityId, "ending")}
            inherit
            underline="always"
          >
            See when it can be closed
          </Anchor>
          .
        </Text>
      )}
      {!LIVE_FACILITY_STATES.has(facts.state) && facts.bondMicros === 0n && (
        <Text size="sm" c="dimmed">
          The facility is over and nothing of its bond is left in the vault.
        </Text>
      )}
    </Stack>
  );
}
