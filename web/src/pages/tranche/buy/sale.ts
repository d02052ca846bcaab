/** The primary sale of a tranche and what a buyer has, both read from the chain at one block. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../../../api/service";
import {
  erc20Abi,
  facilityRegistryAbi,
  primarySaleAbi,
  trancheTokenAbi,
} from "../../../chain/abis";
import { type AccountKind, kindOfCode } from "../../../chain/code";
import { permitTermsOf } from "../../../chain/permit";
import { grouped } from "../../../format/money";
import { partsOfTokenId } from "../../../format/text";

/** `IPrimarySale.SaleState`. */
const OPEN = 1;
const SUCCESSFUL = 2;
const REFUNDING = 3;
/** `IFacilityRegistry.FacilityState`. */
const OFFERED = 1;

export interface Sale {
  /** Time of the block that all of it was read at, UTC seconds. */
  nowS: number;
  block: bigint;
  facilityId: bigint;
  state: number;
  facilityState: number;
  paused: boolean;
  soldUnits: number;
  floorUnits: number;
  upFrontBps: number;
  opensAtS: number;
  closesAtS: number;
  /** Price of one unit. */
  priceMicros: bigint;
  unitsLeft: number;
  token: { address: Address; symbol: string; decimals: number };
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
  if (sale.state === SUCCESSFUL) return "succeeded";
  if (sale.state === REFUNDING) return "failed";
  if (sale.state !== OPEN) return "none";
  if (sale.facilityState !== OFFERED || sale.nowS >= sale.closesAtS) return "closed";
  if (sale.unitsLeft === 0) return "soldOut";
  if (sale.nowS < sale.opensAtS) return "early";
  return sale.paused ? "paused" : "open";
}

/** Why so many units cannot be bought; null if they can. */
export function problemWithUnits(
  units: bigint | null,
  sale: Pick<Sale, "unitsLeft" | "priceMicros">,
  balanceMicros: bigint | null,
): string | null {
  if (units === null) return "Enter whole units.";
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
}

async function readSale(
  client: PublicClient,
  at: Contracts,
  tokenId: string,
): Promise<Sale | null> {
  const { facilityId, seniority } = partsOfTokenId(tokenId);
  const id = BigInt(facilityId);
  const block = await client.getBlock();
  const blockNumber = block.number;
  const sale = { address: at.sale, abi: primarySaleAbi, blockNumber } as const;
  const registry = { address: at.facilities, abi: facilityRegistryAbi, blockNumber } as const;
  const units = { address: at.token, abi: trancheTokenAbi, blockNumber } as const;
  if (!(await client.readContract({ ...sale, functionName: "hasSale", args: [id] }))) return null;
  const [book, terms, facilityState, cap, settlementToken, supply, paused] = await Promise.all([
    client.readContract({ ...sale, functionName: "bookOf", args: [id] }),
    client.readContract({ ...sale, functionName: "saleTermsOf", args: [id] }),
    client.readContract({ ...registry, functionName: "stateOf", args: [id] }),
    client.readContract({ ...registry, functionName: "trancheCapOf", args: [id, seniority] }),
    client.readContract({ ...registry, functionName: "settlementTokenOf", args: [id] }),
    client.readContract({ ...units, functionName: "totalSupply", args: [BigInt(tokenId)] }),
    client.readContract({ ...units, functionName: "paused" }),
  ]);
  const price = terms.unitPrices[seniority];
  if (price === undefined) return null;
  const coin = { address: settlementToken, abi: erc20Abi } as const;
  const [symbol, decimals] = await Promise.all([
    client.readContract({ ...coin, functionName: "symbol" }),
    client.readContract({ ...coin, functionName: "decimals" }),
  ]);
  return {
    nowS: Number(block.timestamp),
    block: blockNumber,
    facilityId: id,
    state: book.state,
    facilityState,
    paused,
    soldUnits: book.soldUnits,
    floorUnits: terms.floorUnits,
    upFrontBps: terms.upFrontBps,
    opensAtS: Number(terms.opensAt),
    closesAtS: Number(terms.closesAt),
    priceMicros: price,
    unitsLeft: Number(BigInt(cap) - supply),
    token: { address: settlementToken, symbol, decimals },
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
      const { PrimarySale, TrancheToken, FacilityRegistry } = contracts;
      if (client === undefined || !PrimarySale || !TrancheToken || !FacilityRegistry) return null;
      const at = { sale: PrimarySale, token: TrancheToken, facilities: FacilityRegistry };
      return readSale(client, at, tokenId);
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
      const coin = { address: token, abi: erc20Abi } as const;
      const [balanceMicros, allowanceMicros, code, permit, units] = await Promise.all([
        client.readContract({ ...coin, functionName: "balanceOf", args: [account] }),
        client.readContract({ ...coin, functionName: "allowance", args: [account, spender] }),
        client.getCode({ address: account }),
        permitTermsOf(client, token, account),
        client.readContract({
          address: TrancheToken,
          abi: trancheTokenAbi,
          functionName: "balanceOf",
          args: [account, BigInt(tokenId)],
        }),
      ]);
      const canPermit = permit !== null;
      return { balanceMicros, allowanceMicros, canPermit, kind: kindOfCode(code), units };
    },
  });
}
