import { Anchor, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { Amount } from "../../../parts/Amount";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { Section } from "../../../parts/Section";
import { Hardware } from "../metering/Hardware";
import { FundStep, OfferStep, UnitsStep } from "./LaunchActions";
import { ApprovalStep } from "./ApprovalStep";
import { BondStep } from "./BondStep";
import { CancelOffer } from "./CancelOffer";
import classes from "../Operator.module.css";
import { type ChainFacts, useChainFacts, useContracts } from "../chainFacts";
import { type LaunchSteps, type StepState, type Way, launchSteps } from "./launchSteps";
import type { ConsoleFacility } from "../queries";
import { sectionPath } from "../sections";

/** From a registered facility to one that delivers, step by step, as the chain has it. */
export function Launch({ facility, account }: { facility: ConsoleFacility; account: string }) {
  const facilityId = facility.facility_id;
  const query = useChainFacts(facilityId);
  const deployed = useContracts() !== null;
  const [params, setParams] = useSearchParams();
  const asked = params.get("way");
  const chosen: Way | null = asked === "sale" || asked === "mint" ? asked : null;
  const choose = (way: Way) =>
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        after.set("way", way);
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
  return (
    <>
      <Section
        title="Launch"
        about="Each step is read from the chain: you can leave, reload, or go on in another browser."
      >
        {!deployed ? (
          <Empty title="Nothing is deployed">There is no chain to offer it on.</Empty>
        ) : (
          <Loaded query={query} lines={6}>
            {(facts) => (
              <Steps
                facilityId={facilityId}
                account={account}
                facts={facts}
                plan={launchSteps(facts, chosen)}
                onChoose={choose}
              />
            )}
          </Loaded>
        )}
      </Section>
      <Hardware facilityId={facilityId} />
      <CancelOffer facilityId={facilityId} name={facility.name} />
    </>
  );
}

function Steps({
  facilityId,
  account,
  facts,
  plan,
  onChoose,
}: {
  facilityId: number;
  account: string;
  facts: ChainFacts | null;
  plan: LaunchSteps;
  onChoose: (way: Way) => void;
}) {
  const { steps, way, over } = plan;
  if (over !== null) return <Over facilityId={facilityId} facts={facts} over={over} />;
  return (
    <ol className={classes.steps}>
      <Step number={1} state={steps.register} title="Registered">
        <Text size="sm" c="dimmed">
          Devices, window and tranches are recorded, and their hashes fixed.
        </Text>
      </Step>
      <Step number={2} state={steps.offer} title="Offer it on-chain">
        <OfferStep facilityId={facilityId} account={account} state={steps.offer} />
      </Step>
      <Step number={3} state={steps.approval} title="Approval of the devices">
        <ApprovalStep facts={facts} state={steps.approval} />
      </Step>
      <Step number={4} state={steps.bond} title="Bond">
        <BondStep facilityId={facilityId} facts={facts} state={steps.bond} />
      </Step>
      <Step number={5} state={steps.units} title="Units">
        <UnitsStep
          facilityId={facilityId}
          facts={facts}
          state={steps.units}
          way={way}
          onChoose={onChoose}
        />
      </Step>
      <Step number={6} state={steps.fund} title={way === "sale" ? "End the sale and fund" : "Fund"}>
        <FundStep facilityId={facilityId} facts={facts} state={steps.fund} way={way} />
      </Step>
    </ol>
  );
}

/** It ended otherwise than in delivery: what is left to do. */
function Over({
  facilityId,
  facts,
  over,
}: {
  facilityId: number;
  facts: ChainFacts | null;
  over: NonNullable<LaunchSteps["over"]>;
}) {
  return (
    <Notice tone={over === "cancelled" ? "warning" : "bad"}>
      {over === "cancelled"
        ? "The offer was cancelled or expired, or its sale failed. Its devices are free: register a new facility to offer them again."
        : `The facility ${over === "defaulted" ? "is in default" : "was stopped"}: its closing shares bond and unearned proceeds.`}
      {over !== "cancelled" && (
        <>
          {" "}
          <Anchor
            component={Link}
            to={sectionPath(facilityId, "ending")}
            inherit
            underline="always"
          >
            See when it can be closed
          </Anchor>
          .
        </>
      )}
      {over === "cancelled" && facts !== null && facts.bondMicros > 0n && (
        <>
          {" "}
          The bond of <Amount micros={facts.bondMicros} symbol /> can be released to you under{" "}
          <Anchor component={Link} to={sectionPath(facilityId, "bond")} inherit underline="always">
            Bond
          </Anchor>
          .
        </>
      )}
    </Notice>
  );
}

const WORDS: Record<StepState, string> = {
  done: "done",
  now: "to do",
  waiting: "waiting for others",
  later: "later",
};

function Step({
  number,
  state,
  title,
  children,
}: {
  number: number;
  state: StepState;
  title: string;
  children: ReactNode;
}) {
  return (
    <li
      className={classes.step}
      data-state={state}
      aria-current={state === "now" ? "step" : undefined}
    >
      <span className={classes.mark} aria-hidden="true">
        {state === "done" ? "✓" : number}
      </span>
      <Stack gap="xs" miw={0} pt={2}>
        <Title order={3} size="h5">
          {title}
          <span className="visually-hidden">, {WORDS[state]}</span>
        </Title>
        {children}
      </Stack>
    </li>
  );
}
