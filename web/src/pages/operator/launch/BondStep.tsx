import { Text } from "@mantine/core";
import { Amount } from "../../../parts/Amount";
import { BondDeposit } from "../bond/BondDeposit";
import { BondTermsForm } from "../bond/BondTermsForm";
import type { ChainFacts } from "../chainFacts";
import type { StepState } from "./launchSteps";

/** Step 3: the bond's terms, then what is missing of it. */
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
        A bond pays holders when availability falls short. It can only be agreed before the first
        unit exists.
      </Text>
    );
  }
  if (facts.bondTerms === null) {
    if (state === "done") {
      return (
        <Text size="sm" c="dimmed">
          None was agreed.
        </Text>
      );
    }
    return (
      <>
        <Text size="sm">
          Optional, but investors look for it: it pays them for promised GPU-hours that were not
          available. It can only be agreed now, before the first unit exists.
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
