import { Group, Stack, Text } from "@mantine/core";
import { duration } from "../../../format/time";
import { grouped } from "../../../format/money";
import { LIVE_FACILITY_STATES } from "../../../generated/states";
import { Amount } from "../../../parts/Amount";
import { AmountFigure } from "../../../parts/AmountFigure";
import { Empty } from "../../../parts/Empty";
import { Figure, Figures } from "../../../parts/Figure";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { Section } from "../../../parts/Section";
import { SendButton } from "../../../parts/SendButton";
import { BondDeposit } from "./BondDeposit";
import { BondTermsForm } from "./BondTermsForm";
import { Offered } from "../launch/Offered";
import { type ChainFacts, useContracts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";
import { useBond } from "../queries";

const ENDED = new Set(["matured", "cancelled"]);

/** The bond: its terms, what is held, what it owes, and adding to it. */
export function BondSection({ facilityId }: { facilityId: number }) {
  const query = useBond(facilityId);
  const deployed = useContracts() !== null;
  return (
    <Section
      title="Bond"
      about="What you have at stake. It pays holders for promised GPU-hours that were not available, and falls to them after a default."
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
                  name="Shortfall due"
                  micros={bond.shortfall_due_micros}
                  about="owed to holders now"
                  source="Promised GPU-seconds of final epochs that were not available, at the agreed price, less what was paid. Anybody can have it paid."
                />
                <AmountFigure
                  name="Missing GPU-hour"
                  micros={bond.rate_micros_per_gpu_hour}
                  digits={4}
                  about="agreed price"
                />
                <Figure
                  name="Default"
                  value={
                    bond.default_after_epochs === 0
                      ? "never"
                      : `${grouped(bond.default_after_epochs)} epochs late`
                  }
                  about={`or ${duration(bond.grace_s)} below the minimum`}
                />
              </Figures>
            )}
            {bond !== null && bond.below_since_s !== null && (
              <Notice tone="warning">
                The bond is below its minimum since <Instant seconds={bond.below_since_s} />. From{" "}
                <Instant seconds={bond.below_since_s + bond.grace_s} /> on, anybody can declare a
                default once the facility delivers.
              </Notice>
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
      {facts.shortfallDueMicros > 0n && (
        <Group gap="md">
          <SendButton variant="default" call={call("payShortfall", "Pay the shortfall to holders")}>
            Pay the shortfall to holders
          </SendButton>
        </Group>
      )}
      {ENDED.has(facts.state) && facts.bondMicros > 0n && (
        <>
          <Text size="sm">
            The facility is over: once every shortfall and voucher is paid, the rest of the bond is
            yours. Take it in two steps: release it here, then withdraw it under Proceeds.
          </Text>
          <Group>
            <SendButton call={call("release", "Release the bond")}>Release the bond</SendButton>
          </Group>
        </>
      )}
      {!LIVE_FACILITY_STATES.has(facts.state) && facts.bondMicros === 0n && (
        <Text size="sm" c="dimmed">
          The facility is over and nothing of its bond is left in the vault.
        </Text>
      )}
    </Stack>
  );
}
