/** Reads PrimarySale. */

import type { Address } from "viem";
import { SALE_STATES, type SaleState } from "../../generated/states";
import { primarySaleAbi } from "../abis";
import type { Pinned } from "./pinned";

/** A sale's terms and its book. */
export interface SaleFacts {
  state: Exclude<SaleState, "none">;
  opensAtS: number;
  closesAtS: number;
  /** Proceeds that must count, or all buyers are refunded. */
  floorMicros: bigint;
  upFrontBps: number;
  /** Price of one unit by seniority. */
  unitPricesMicros: readonly bigint[];
  soldUnits: bigint;
  proceedsMicros: bigint;
  /** Proceeds that count towards the floor: of everybody but the operator itself. */
  countedMicros: bigint;
  releasedMicros: bigint;
  /** Part that went to the closing: not released, because delivery did not earn it. */
  returnedMicros: bigint;
}

function sale({ blockNumber }: Pinned, address: Address) {
  return { address, abi: primarySaleAbi, blockNumber } as const;
}

/** The state with a number of the contract. Raises Error for one it does not have. */
function saleStateOf(number: number): SaleState {
  const state = SALE_STATES[number];
  if (state === undefined) throw new Error(`The sale knows a state ${number}; we do not.`);
  return state;
}

/** The sale of a facility; null where there is none. */
export async function readSale(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<SaleFacts | null> {
  const contract = sale(at, address);
  const args = [facilityId] as const;
  const [book, terms] = await Promise.all([
    at.client.readContract({ ...contract, functionName: "bookOf", args }),
    at.client.readContract({ ...contract, functionName: "saleTermsOf", args }),
  ]);
  const state = saleStateOf(book.state);
  if (state === "none") return null;
  return {
    state,
    opensAtS: Number(terms.opensAt),
    closesAtS: Number(terms.closesAt),
    floorMicros: terms.floorProceeds,
    upFrontBps: terms.upFrontBps,
    unitPricesMicros: terms.unitPrices,
    soldUnits: BigInt(book.soldUnits),
    proceedsMicros: book.proceeds,
    countedMicros: book.counted,
    releasedMicros: book.released,
    returnedMicros: book.returned,
  };
}

/** Whether a facility has or had a sale. */
export function readHasSale(at: Pinned, address: Address, facilityId: bigint): Promise<boolean> {
  return at.client.readContract({
    ...sale(at, address),
    functionName: "hasSale",
    args: [facilityId],
  });
}

/** Proceeds that delivery earned and that were not released yet. */
export function readReleasable(at: Pinned, address: Address, facilityId: bigint): Promise<bigint> {
  return at.client.readContract({
    ...sale(at, address),
    functionName: "releasable",
    args: [facilityId],
  });
}
