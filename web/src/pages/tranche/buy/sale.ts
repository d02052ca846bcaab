/** The primary sale of a tranche and what a buyer has, both read from the chain at one block. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../../../api/service";
import { type AccountKind, kindOfCode } from "../../../chain/code";
import { type ApprovalFacts, readApproval } from "../../../chain/facts/attesters";
import { readBond } from "../../../chain/facts/bond";
import { type Coin, readCoin, readFunds } from "../../../chain/facts/coin";
import { pinned } from "../../../chain/facts/pinned";
import { readFacilityState, readOffer, readTrancheTerms } from "../../../chain/facts/registry";
import { readSale } from "../../../chain/facts/sale";
import { readPaused, readSupply, readUnits } from "../../../chain/facts/token";
import { epochCountOf } from "../../../chain/lifeCycle";
import { permitTermsOf } from "../../../chain/permit";
import { quorum } from "../../../format/attesters";
import { grouped } from "../../../format/money";
import { partsOfTokenId } from "../../../format/text";
import { instant } from "../../../format/time";
import type { FacilityState, SaleState } from "../../../generated/states";
import type { Deal } from "./deal";

export interface Sale {
  /** Time of the block that all of it was read at, UTC seconds. */
  nowS: number;
  block: bigint;
  facilityId: bigint;
  state: SaleState;
  facilityState: FacilityState;
  paused: boolean;
  soldUnits: number;
  floorMicros: bigint;
  /** Proceeds that count towards the floor: of everybody but the operator. */
  countedMicros: bigint;
  upFrontBps: number;
  opensAtS: number;
  closesAtS: number;
  /** Price of one unit. */
  priceMicros: bigint;
  unitsLeft: number;
  /** Whether attesters approved its devices: without that it fails when the window begins. */
  approval: ApprovalFacts;
  token: Coin;
  deal: Deal;
}

export type Phase =
  | "none"
  | "early"
  | "open"
  | "paused"
  | "soldOut"
  /** Its hours are over, and nobody ended it yet. */
  | "closed"
  | "succeeded"
  | "failed";

/** Where a sale stands. */
export function phaseOf(sale: Sale | null): Phase {
  if (sale === null) return "none";
  if (sale.state === "successful") return "succeeded";
  if (sale.state === "refunding") return "failed";
  if (sale.state !== "open") return "none";
  if (sale.facilityState !== "offered" || sale.nowS >= sale.closesAtS) return "closed";
  if (sale.unitsLeft === 0) return "soldOut";
  if (sale.nowS < sale.opensAtS) return "early";
  return sale.paused ? "paused" : "open";
}

/** Whether a sale comes about if it ends as it is now, with the bond in place and the devices approved. */
export function floorReached(sale: Pick<Sale, "soldUnits" | "countedMicros" | "floorMicros">) {
  return sale.soldUnits > 0 && sale.countedMicros >= sale.floorMicros;
}

/** What a buyer must know while attesters have not approved the devices; null once they have. */
export function unapproved(sale: Pick<Sale, "approval" | "facilityState">): string | null {
  const { approvedAtS, panel } = sale.approval;
  if (approvedAtS !== null || sale.facilityState !== "offered") return null;
  return `${quorum(panel.threshold, panel.attesters.length)} must approve the devices of this facility and have not yet; without that the sale fails at the window's start and the price goes back.`;
}

/** What ending a sale does that takes no more orders, and whether the contract lets anybody end it now. */
export function endOf(sale: Sale): { words: string; possible: boolean } {
  const { panel, approvedAtS } = sale.approval;
  const { windowStartS } = sale.deal;
  if (sale.facilityState !== "offered") {
    return {
      words:
        "The offer was cancelled or expired. The sale has to be ended by somebody; then buyers are refunded.",
      possible: true,
    };
  }
  const over = "The sale takes no more orders";
  const ended = "It has to be ended by somebody; then";
  if (!floorReached(sale)) {
    return {
      words: `${over}, and its floor was missed. ${ended} buyers are refunded.`,
      possible: true,
    };
  }
  if (approvedAtS !== null) {
    return { words: `${over}. ${ended} the facility is funded.`, possible: true };
  }
  if (sale.nowS >= windowStartS) {
    return {
      words: `${over}, and attesters did not approve the devices before the window began. ${ended} buyers are refunded.`,
      possible: true,
    };
  }
  return {
    words: `${over}. It can be ended once ${quorum(panel.threshold, panel.attesters.length)} approved the devices; if they have not at ${instant(windowStartS)}, it fails and the price goes back.`,
    possible: false,
  };
}

/** Why so many units cannot be bought; null if they can. */
export function problemWithUnits(
  units: bigint | null,
  sale: Pick<Sale, "unitsLeft" | "priceMicros">,
  balanceMicros: bigint | null,
): string | null {
  if (units === null) return "Enter a whole number of units, such as 1,200.";
  if (units === 0n) return "Choose at least one unit.";
  if (units > BigInt(sale.unitsLeft))
    return sale.unitsLeft === 1
      ? "Only 1 unit is left."
      : `Only ${grouped(sale.unitsLeft)} units are left.`;
  if (balanceMicros !== null && units * sale.priceMicros > balanceMicros) {
    return "This costs more than the account has.";
  }
  return null;
}

/** Most units that can be bought: what is left, and what the balance pays for. */
export function mostUnits(
  sale: Pick<Sale, "unitsLeft" | "priceMicros">,
  balanceMicros: bigint | null,
): bigint {
  const left = BigInt(sale.unitsLeft);
  if (balanceMicros === null || sale.priceMicros === 0n) return left;
  const affordable = balanceMicros / sale.priceMicros;
  return affordable < left ? affordable : left;
}

interface Contracts {
  sale: Address;
  token: Address;
  facilities: Address;
  vault: Address;
}

async function readTrancheSale(
  client: PublicClient,
  contracts: Contracts,
  tokenId: string,
): Promise<Sale | null> {
  const { facilityId, seniority } = partsOfTokenId(tokenId);
  const id = BigInt(facilityId);
  const at = await pinned(client);
  const sale = await readSale(at, contracts.sale, id);
  if (sale === null) return null;
  const [facilityState, offer, tranches, supply, paused, bond, approval] = await Promise.all([
    readFacilityState(at, contracts.facilities, id),
    readOffer(at, contracts.facilities, id),
    readTrancheTerms(at, contracts.facilities, id),
    readSupply(at, contracts.token, BigInt(tokenId)),
    readPaused(at, contracts.token),
    readBond(at, contracts.vault, id),
    readApproval(at, contracts.facilities, id),
  ]);
  const price = sale.unitPricesMicros[seniority];
  const cap = tranches[seniority]?.unitCap;
  if (price === undefined || cap === undefined) return null;
  return {
    nowS: at.timeS,
    block: at.blockNumber,
    facilityId: id,
    state: sale.state,
    facilityState,
    paused,
    soldUnits: Number(sale.soldUnits),
    floorMicros: sale.floorMicros,
    countedMicros: sale.countedMicros,
    upFrontBps: sale.upFrontBps,
    opensAtS: sale.opensAtS,
    closesAtS: sale.closesAtS,
    priceMicros: price,
    unitsLeft: Number(cap - supply),
    approval,
    token: await readCoin(client, offer.settlementToken),
    deal: {
      priceMicros: price,
      rank: seniority,
      tranches,
      feeBps: offer.feeBps,
      upFrontBps: sale.upFrontBps,
      windowStartS: offer.windowStartS,
      epochLengthS: offer.epochLengthS,
      epochs: epochCountOf(offer),
      promisedGpuSeconds: offer.promisedGpuSeconds,
      bondMicros: bond.heldMicros,
      rateMicros: bond.terms?.rateMicrosPerGpuHour ?? 0n,
    },
  };
}

/** The sale of a tranche; null where there is none. */
export function useSale(tokenId: string) {
  const client = usePublicClient();
  const { contracts } = useService();
  return useQuery({
    queryKey: ["chain", "sale", tokenId],
    refetchInterval: 4_000,
    queryFn: () => {
      const { PrimarySale, TrancheToken, FacilityRegistry, BondVault } = contracts;
      if (!client || !PrimarySale || !TrancheToken || !FacilityRegistry || !BondVault) return null;
      const at = { sale: PrimarySale, token: TrancheToken, facilities: FacilityRegistry };
      return readTrancheSale(client, { ...at, vault: BondVault }, tokenId);
    },
  });
}

export interface Buyer {
  balanceMicros: bigint;
  allowanceMicros: bigint;
  /** Whether a signed permit can stand in for an allowance. */
  canPermit: boolean;
  kind: AccountKind;
  units: bigint;
}

/** What an account has to buy with. */
export function useBuyer(account: Address | undefined, tokenId: string, token: Address) {
  const client = usePublicClient();
  const { contracts } = useService();
  return useQuery({
    queryKey: ["chain", "buyer", account, tokenId, token],
    enabled: account !== undefined,
    refetchInterval: 4_000,
    queryFn: async (): Promise<Buyer> => {
      const { PrimarySale: spender, TrancheToken } = contracts;
      if (client === undefined || account === undefined || !spender || !TrancheToken) {
        throw new Error("Nothing is deployed.");
      }
      const at = await pinned(client);
      const [funds, code, permit, units] = await Promise.all([
        readFunds(at, token, account, spender),
        client.getCode({ address: account }),
        permitTermsOf(client, token, account),
        readUnits(at, TrancheToken, account, BigInt(tokenId)),
      ]);
      return { ...funds, canPermit: permit !== null, kind: kindOfCode(code), units };
    },
  });
}
