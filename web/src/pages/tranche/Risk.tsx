import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { money, percentOfBps, percentOfPpm } from "../../format/money";
import { date, duration } from "../../format/time";
import { LIVE_FACILITY_STATES } from "../../generated/states";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { Unknown } from "../../parts/Unknown";
import classes from "./Tranche.module.css";
import type { Tranche } from "./queries";

const ORIGINS = {
  attested: "Attested on-chain",
  chain: "Read from contracts",
  computed: "Computed from records",
  disclosed: "Disclosed by the operator",
} as const;

function About({ origin, children }: { origin: keyof typeof ORIGINS; children?: ReactNode }) {
  return (
    <>
      {children}
      <Text size="xs" c="dimmed" component="div">
        <span className={classes.origin}>{ORIGINS[origin]}</span>
      </Text>
    </>
  );
}

/** What can go wrong, in figures, each with who says it. */
export function Risk({ tranche }: { tranche: Tranche }) {
  const { risk } = tranche;
  const share = (bps: number | null) => (bps === null ? <Unknown /> : percentOfBps(bps));
  return (
    <Section
      title="Risk"
      anchor="risk"
      about="What decides whether rent comes. Blank where it is not known. Under each figure stands who says it."
    >
      <Figures cols={4}>
        <Figure
          name="Take-or-pay share"
          value={share(risk.take_or_pay_bps)}
          about={<OfRevenue bps={risk.take_or_pay_bps} />}
          source="Share of revenue from leases whose renters owe rent whether or not they use the GPUs. A signed field of the newest posted statement (committedBps)."
        />
        <Figure
          name="Largest renter"
          value={share(risk.top_renter_bps)}
          about={<OfRevenue bps={risk.top_renter_bps} />}
          source="Share of revenue that one renter brings: if it stops paying, this much stops. A signed field of the newest posted statement (topRenterBps)."
        />
        <Availability tranche={tranche} />
        <Bond tranche={tranche} />
        <Receivable tranche={tranche} />
        <Figure
          name="Contracted revenue to come"
          value={<Amount micros={risk.remaining_contracted_micros} symbol />}
          about={
            <About origin="computed">
              {risk.remaining_contracted_micros === null
                ? "No take-or-pay lease"
                : "From take-or-pay leases, until the window ends"}
            </About>
          }
          source="What take-or-pay leases owe from now to the end of the window, used or not, rounded down. Computed from the lease records in the evidence; it depends on renters paying."
        />
        <Hardware tranche={tranche} />
      </Figures>
    </Section>
  );
}

function OfRevenue({ bps }: { bps: number | null }) {
  return (
    <About origin="attested">
      {bps === null ? "Known once a statement is posted" : "Of revenue in the newest statement"}
    </About>
  );
}

function Availability({ tranche }: { tranche: Tranche }) {
  const { availability_ppm: now, promised_availability_ppm: promised } = tranche.risk;
  return (
    <Figure
      name="Availability against promise"
      value={now === null ? <Unknown /> : percentOfPpm(now)}
      about={
        <About origin="attested">
          {percentOfPpm(promised)} promised.{" "}
          {now !== null &&
            (now < promised ? (
              <Status state="short" tone="warning">
                Below promise
              </Status>
            ) : (
              <Status state="kept" tone="good">
                Kept
              </Status>
            ))}
        </About>
      }
      source="Available GPU-seconds over pledged capacity, all posted epochs together. Hours that were promised and not delivered are claimed at the closing, from bond and unearned proceeds."
    />
  );
}

function Bond({ tranche }: { tranche: Tranche }) {
  const { bond_micros: held, required_bond_micros: required } = tranche.risk;
  const live = LIVE_FACILITY_STATES.has(tranche.state);
  return (
    <Figure
      name="Operator's bond"
      value={<Amount micros={held} symbol />}
      about={
        <About origin="chain">
          {required === null ? (
            "No bond is required or known."
          ) : (
            <>
              {money(required)} required to be funded.{" "}
              {held !== null &&
                held < required &&
                (live ? (
                  <Status state="low" tone="bad">
                    Below requirement
                  </Status>
                ) : (
                  `The facility is ${tranche.state}.`
                ))}
            </>
          )}
        </About>
      }
      source="The operator's stake in the bond vault. It never falls while the facility delivers; the closing pays it out: attested rent that renters owe first, then promised hours that are missing. Read from the contract at the indexed block."
    />
  );
}

function Receivable({ tranche }: { tranche: Tranche }) {
  const { receivable_micros: owed, receivable_age_s: age } = tranche.risk;
  return (
    <Figure
      name="Receivable"
      value={<Amount micros={owed} symbol />}
      about={
        <About origin="computed">
          {age !== null
            ? `Oldest unpaid part attested ${duration(age)} ago`
            : owed === 0
              ? "All attested rent is collected"
              : undefined}
        </About>
      }
      source="Rent that is attested but that renters have not paid into the lockbox. It reaches holders only when paid. Computed from posted statements and payments on-chain; its age counts from the oldest unpaid statement."
    />
  );
}

function Hardware({ tranche }: { tranche: Tranche }) {
  const { hardware } = tranche.risk;
  const worth = (years: number) =>
    hardware?.straight_line.find((value) => value.years === years)?.value_micros ?? null;
  return (
    <>
      <Figure
        name="GPUs, worth over 6 years"
        value={<Amount micros={worth(6)} digits={0} symbol />}
        about={
          <About origin="disclosed">
            {hardware === null
              ? "The operator has disclosed no cost"
              : `${money(hardware.cost_micros_per_device, 0)} each, in service since ${date(hardware.in_service_s)}`}
          </About>
        }
        source="All pledged GPUs now, if their cost falls in a straight line to nothing over 6 years, as large operators report. Cost and date are the operator's word, not attested; holders have no claim on the GPUs."
      />
      <Figure
        name="GPUs, worth over 3 to 4 years"
        value={
          <>
            <Amount micros={worth(3)} digits={0} />
            {hardware !== null && " to "}
            <Amount micros={worth(4)} digits={0} symbol={hardware !== null} />
          </>
        }
        about={
          <About origin="disclosed">
            {hardware === null
              ? "The operator has disclosed no cost"
              : `Disclosed ${date(hardware.disclosed_at_s)}`}
          </About>
        }
        source="The same with a life of 3 and of 4 years, as sceptics reckon. Where the two figures are far apart, the debt on the GPUs may outlive their worth."
      />
    </>
  );
}
