/** Reads FacilityRegistry: what was offered, and how far it came. */

import type { Address, Hex } from "viem";
import { FACILITY_STATES, type FacilityState } from "../../generated/states";
import { facilityRegistryAbi } from "../abis";
import type { Pinned } from "./pinned";

/** Terms of an offer, as many as pages use. */
export interface OfferFacts {
  gpuOperator: Address;
  settlementToken: Address;
  windowStartS: number;
  windowEndS: number;
  epochLengthS: number;
  /** How long an epoch may be neither stated nor published before notice of default can be given. */
  patienceS: number;
  /** How long after the window its facts can still be stated. */
  sealS: number;
  /** How long after window and seal anybody may stop the facility. */
  longStopS: number;
  /** An offer that is not funded by then is cancelled. */
  expiresAtS: number;
  /** Available GPU-seconds that are promised of the whole window, rounded down. */
  promisedGpuSeconds: bigint;
  /** Protocol fee on every settlement. */
  feeBps: number;
  /** Share of that fee which attesters earn. */
  attesterFeeBps: number;
  termsHash: Hex;
}

export interface TrancheTerms {
  unitCap: bigint;
  couponPerUnitMicros: bigint;
}

function registry({ blockNumber }: Pinned, address: Address) {
  return { address, abi: facilityRegistryAbi, blockNumber } as const;
}

/** The state with a number of the contract; `registered` is not on-chain. Raises Error for one it does not have. */
export function facilityStateOf(number: number): FacilityState {
  const state = FACILITY_STATES[number];
  if (state === undefined) throw new Error(`The registry knows a state ${number}; we do not.`);
  return state;
}

export async function readFacilityState(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<FacilityState> {
  return facilityStateOf(
    await at.client.readContract({
      ...registry(at, address),
      functionName: "stateOf",
      args: [facilityId],
    }),
  );
}

/** Terms of an offer. Rejects where there is none. */
export async function readOffer(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<OfferFacts> {
  const terms = await at.client.readContract({
    ...registry(at, address),
    functionName: "termsOf",
    args: [facilityId],
  });
  const windowS = terms.windowEnd - terms.windowStart;
  const promised = BigInt(terms.deviceCount) * windowS * BigInt(terms.promisedAvailabilityPpm);
  return {
    gpuOperator: terms.gpuOperator,
    settlementToken: terms.settlementToken,
    windowStartS: Number(terms.windowStart),
    windowEndS: Number(terms.windowEnd),
    epochLengthS: terms.epochLength,
    patienceS: terms.patienceSeconds,
    sealS: terms.sealSeconds,
    longStopS: terms.longStopSeconds,
    expiresAtS: Number(terms.expiresAt),
    promisedGpuSeconds: promised / 1_000_000n,
    feeBps: terms.feeBps,
    attesterFeeBps: terms.attesterFeeBps,
    termsHash: terms.termsHash,
  };
}

/** Tranches of an offer, most senior first. Rejects where there is none. */
export async function readTrancheTerms(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<TrancheTerms[]> {
  const found = await at.client.readContract({
    ...registry(at, address),
    functionName: "tranchesOf",
    args: [facilityId],
  });
  return found.map(({ unitCap, couponPerUnit }) => ({
    unitCap: BigInt(unitCap),
    couponPerUnitMicros: couponPerUnit,
  }));
}

/** When a facility was funded, ended and closed, UTC seconds; null for what did not happen yet. */
export interface EndingFacts {
  fundedAtS: number | null;
  endedAtS: number | null;
  closedAtS: number | null;
  /** When notice was given that attested rent is unpaid. */
  unpaidNoticedAtS: number | null;
}

/** A time of a contract, which writes 0 for never. */
export const timeOrNull = (time: number | bigint): number | null => Number(time) || null;

export async function readEnding(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<EndingFacts> {
  const found = await at.client.readContract({
    ...registry(at, address),
    functionName: "endingOf",
    args: [facilityId],
  });
  return {
    fundedAtS: timeOrNull(found.fundedAt),
    endedAtS: timeOrNull(found.endedAt),
    closedAtS: timeOrNull(found.closedAt),
    unpaidNoticedAtS: timeOrNull(found.unpaidNoticedAt),
  };
}

/** When notice of an overdue epoch was given; null if it was not. */
export async function readDefaultNoticedAt(
  at: Pinned,
  address: Address,
  facilityId: bigint,
  epoch: number,
): Promise<number | null> {
  return timeOrNull(
    await at.client.readContract({
      ...registry(at, address),
      functionName: "defaultNoticedAt",
      args: [facilityId, epoch],
    }),
  );
}
