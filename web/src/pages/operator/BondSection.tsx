import { Group, Stack, Text } from "@mantine/core";
import { useContractAddress } from "../../api/service";
import { bondVaultAbi } from "../../chain/abis";
import { duration } from "../../format/time";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { Empty } from "../../parts/Empty";
import { Figure, Figures } from "../../parts/Figure";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { SendButton } from "../../parts/SendButton";
import { BondDeposit } from "./BondDeposit";
import { BondTermsForm } from "./BondTermsForm";
import { type ChainFacts, useChainFacts, useContracts } from "./chainFacts";
import { useBond } from "./queries";

const TAKES_DEPOSITS = new Set(["offered", "funded", "delivering"]);
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
                <Figure
                  name="Held"
                  value={<Amount micros={bond.bond_micros} symbol />}
                  about={
                    <>
                      minimum <Amount micros={bond.required_bond_micros} />
                    </>
                  }
                />
                <Figure
                  name="Shortfall due"
                  value={<Amount micros={bond.shortfall_due_micros} symbol />}
                  about="owed to holders now"
                  source="Promised GPU-seconds of final epochs that were not available, at the agreed price, less what was paid. Anybody can have it paid."
                />
                <Figure
                  name="Missing GPU-hour"
                  value={<Amount micros={bond.rate_micros_per_gpu_hour} digits={4} symbol />}
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
  const query = useChainFacts(facilityId);
  return (
    <Loaded query={query} lines={2}>
      {(facts) => {
        if (facts === null)
          return <Empty title="No bond yet">Offer the facility on-chain first.</Empty>;
        const units = facts.tranches.reduce((sum, t) => sum + t.supply, 0n);
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
    </Loaded>
  );
}

function Actions({ facilityId, facts }: { facilityId: number; facts: ChainFacts }) {
  const vault = useContractAddress("BondVault");
  const required = facts.bondTerms?.required ?? 0n;
  const call = (functionName: "payShortfall" | "release", label: string) => ({
    address: vault,
    abi: bondVaultAbi,
    functionName,
    args: [BigInt(facilityId)],
    label,
  });
  return (
    <Stack gap="md">
      {TAKES_DEPOSITS.has(facts.state) && (
        <BondDeposit
          facilityId={facilityId}
          token={facts.token}
          missing={required > facts.bond ? required - facts.bond : 0n}
        />
      )}
      {facts.shortfallDue > 0n && (
        <Group gap="md">
          <SendButton variant="default" call={call("payShortfall", "Pay the shortfall to holders")}>
            Pay the shortfall to holders
          </SendButton>
        </Group>
      )}
      {ENDED.has(facts.state) && facts.bond > 0n && (
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
      {!TAKES_DEPOSITS.has(facts.state) && facts.bond === 0n && (
        <Text size="sm" c="dimmed">
          The facility is over and nothing of its bond is left in the vault.
        </Text>
      )}
    </Stack>
  );
}
