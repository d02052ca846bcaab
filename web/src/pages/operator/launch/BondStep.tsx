import { Text } from "@mantine/core";
import { Amount } from "../../../parts/Amount";
import { BondDeposit } from "../bond/BondDeposit";
import { BondTermsForm } from "../bond/BondTermsForm";
import type { ChainFacts } from "../chainFacts";
import type { StepState } from "./launchSteps";

/** Step 4: the bond's terms, then what is missing of it. */
export function BondStep({
  facilityId,
  facts,
  state,
}: {
  facilityId: number;
  facts: ChainFacts | null;
  state: StepState;
}) {
  if (facts === null || state === "later") {
    return (
      <Text size="sm" c="dimmed">
        A bond pays holders for hours that are not delivered. Its terms are part of every offer, and
        are fixed before the first unit exists.
      </Text>
    );
  }
  if (facts.bondTerms === null) {
    if (facts.tranches.some((t) => t.supplyUnits > 0n)) {
      return (
        <Text size="sm">
          Units exist, and no terms of a bond were fixed before: this offer can never be funded.
          Cancel it and make a new one.
        </Text>
      );
    }
    return (
      <>
        <Text size="sm">
          It pays investors for promised GPU-hours that were not available. Its terms are fixed now,
          before the first unit exists. Its rate also bounds your prices: all promised hours at the
          rate must be worth what delivery has to earn.
        </Text>
        <BondTermsForm facilityId={facilityId} gpuOperator={facts.gpuOperator} />
      </>
    );
  }
  const missingMicros = facts.bondTerms.requiredMicros - facts.bondMicros;
  return (
    <>
      <Text size="sm" c={state === "done" ? "dimmed" : "inherit"}>
        <Amount micros={facts.bondMicros} symbol /> held, of at least{" "}
        <Amount micros={facts.bondTerms.requiredMicros} symbol />.
      </Text>
      {state === "now" && missingMicros > 0n && (
        <BondDeposit
          key={missingMicros.toString()}
          facilityId={facilityId}
          token={facts.token}
          missingMicros={missingMicros}
        />
      )}
    </>
  );
}
