/** Where a launch stands, from the chain alone: a reload or another browser sees the same. */

import type { ChainFacts } from "../chainFacts";

export type StepId = "register" | "offer" | "approval" | "bond" | "units" | "fund";
/** `waiting` is for others: nothing is left to do for the operator. */
export type StepState = "done" | "now" | "waiting" | "later";
export type Way = "sale" | "mint";

export interface LaunchSteps {
  /** How units come into being; null while nothing on-chain says so and nobody chose. */
  way: Way | null;
  /** It ended otherwise than in delivery: nothing of the launch is left to do. */
  over: "cancelled" | "defaulted" | "stopped" | null;
  steps: Record<StepId, StepState>;
}

const LATER: Record<StepId, StepState> = {
  register: "done",
  offer: "later",
  approval: "later",
  bond: "later",
  units: "later",
  fund: "later",
};

function unitsDone(facts: ChainFacts, way: Way | null): boolean {
  if (way === "sale") return facts.sale !== null;
  // `fund` wants a unit; a tranche may be wholly unsold.
  return way === "mint" && facts.tranches.some((t) => t.supplyUnits > 0n);
}

/**
 * `facts` null is a facility that is not offered. `chosen` is what the operator wants while the chain does not say:
 * a sale needs no word once it is open, minting none once a unit exists.
 */
export function launchSteps(facts: ChainFacts | null, chosen: Way | null): LaunchSteps {
  if (facts === null) return { way: chosen, over: null, steps: { ...LATER, offer: "now" } };
  const minted = facts.tranches.some((t) => t.supplyUnits > 0n);
  const way: Way | null = facts.sale !== null ? "sale" : minted ? "mint" : chosen;
  if (facts.state === "cancelled" || facts.state === "defaulted" || facts.state === "stopped") {
    return { way, over: facts.state, steps: { ...LATER, offer: "done" } };
  }
  if (facts.state !== "offered") {
    return {
      way,
      over: null,
      steps: {
        register: "done",
        offer: "done",
        approval: "done",
        bond: "done",
        units: "done",
        fund: "done",
      },
    };
  }
  const steps = { ...LATER, offer: "done" as StepState };
  const units = unitsDone(facts, way);
  // Bond terms are part of every deal, and a bond that is too small stops sale and funding.
  const held = facts.bondTerms !== null && facts.bondSufficient;
  const approved = facts.approval.approvedAtS !== null;
  steps.approval = approved ? "done" : "waiting";
  steps.bond = held ? "done" : "now";
  steps.units = units ? "done" : held ? "now" : "later";
  // A sale runs meanwhile: its step shows how it goes.
  const ready = approved || way === "sale";
  steps.fund = !units || !held ? "later" : ready ? "now" : "waiting";
  return { way, over: null, steps };
}
