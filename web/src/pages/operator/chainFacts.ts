/** What the chain says of a facility, read through the wallet's or the configured node. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../../api/service";
import type { ContractName } from "../../api/config";
import {
  bondVaultAbi,
  erc20Abi,
  facilityRegistryAbi,
  primarySaleAbi,
  rentLockboxAbi,
  statementRegistryAbi,
  trancheTokenAbi,
} from "../../chain/abis";

/** By the numbers of `IFacilityRegistry.FacilityState`. */
export const STATES = [
  "registered",
  "offered",
  "funded",
  "delivering",
  "matured",
  "cancelled",
  "defaulted",
] as const;
/** By the numbers of `IPrimarySale.SaleState`. */
export const SALE_STATES = ["none", "open", "succeeded", "failed"] as const;

export interface TrancheFacts {
  id: bigint;
  cap: bigint;
  coupon: bigint;
  supply: bigint;
}

export interface SaleFacts {
  state: (typeof SALE_STATES)[number];
  opensAt: number;
  closesAt: number;
  floorUnits: bigint;
  upFrontBps: number;
  soldUnits: bigint;
  proceeds: bigint;
  released: bigint;
  seized: bigint;
  releasable: bigint;
}

export interface ChainFacts {
  state: (typeof STATES)[number];
  gpuOperator: Address;
  token: Address;
  windowStart: number;
  tranches: TrancheFacts[];
  sale: SaleFacts | null;
  bond: bigint;
  /** Least bond; null while no terms were set. */
  bondTerms: { required: bigint; rate: bigint } | null;
  bondSufficient: boolean;
  shortfallDue: bigint;
  settleable: bigint;
  epochsFinal: number;
}

type Contracts = Record<ContractName, Address>;

async function readSale(
  client: PublicClient,
  address: Address,
  facilityId: bigint,
): Promise<SaleFacts | null> {
  const sale = { address, abi: primarySaleAbi, args: [facilityId] } as const;
  const [book, terms, releasable] = await Promise.all([
    client.readContract({ ...sale, functionName: "bookOf" }),
    client.readContract({ ...sale, functionName: "saleTermsOf" }),
    client.readContract({ ...sale, functionName: "releasable" }),
  ]);
  const state = SALE_STATES[book.state] ?? "none";
  if (state === "none") return null;
  return {
    state,
    opensAt: Number(terms.opensAt),
    closesAt: Number(terms.closesAt),
    floorUnits: BigInt(terms.floorUnits),
    upFrontBps: terms.upFrontBps,
    soldUnits: BigInt(book.soldUnits),
    proceeds: book.proceeds,
    released: book.released,
    seized: book.seized,
    releasable,
  };
}

async function readTranches(
  client: PublicClient,
  contracts: Contracts,
  facilityId: bigint,
): Promise<TrancheFacts[]> {
  const terms = await client.readContract({
    address: contracts.FacilityRegistry,
    abi: facilityRegistryAbi,
    functionName: "tranchesOf",
    args: [facilityId],
  });
  return Promise.all(
    terms.map(async ({ unitCap, couponPerUnit }, seniority) => {
      const id = (facilityId << 8n) | BigInt(seniority);
      const supply = await client.readContract({
        address: contracts.TrancheToken,
        abi: trancheTokenAbi,
        functionName: "totalSupply",
        args: [id],
      });
      return { id, cap: BigInt(unitCap), coupon: couponPerUnit, supply };
    }),
  );
}

/** Reads one facility; null while it is not offered. */
export async function readChainFacts(
  client: PublicClient,
  contracts: Contracts,
  facilityId: bigint,
): Promise<ChainFacts | null> {
  const args = [facilityId] as const;
  const registry = { address: contracts.FacilityRegistry, abi: facilityRegistryAbi, args } as const;
  const vault = { address: contracts.BondVault, abi: bondVaultAbi, args } as const;
  const state = STATES[await client.readContract({ ...registry, functionName: "stateOf" })];
  if (state === undefined || state === "registered") return null;
  const [
    terms,
    tranches,
    sale,
    bond,
    bondTerms,
    bondSufficient,
    shortfallDue,
    settleable,
    epochsFinal,
  ] = await Promise.all([
    client.readContract({ ...registry, functionName: "termsOf" }),
    readTranches(client, contracts, facilityId),
    readSale(client, contracts.PrimarySale, facilityId),
    client.readContract({ ...vault, functionName: "bondOf" }),
    client.readContract({ ...vault, functionName: "bondTermsOf" }),
    client.readContract({ ...vault, functionName: "isSufficient" }),
    client.readContract({ ...vault, functionName: "shortfallDue" }),
    client.readContract({
      address: contracts.RentLockbox,
      abi: rentLockboxAbi,
      functionName: "settleable",
      args,
    }),
    client.readContract({
      address: contracts.StatementRegistry,
      abi: statementRegistryAbi,
      functionName: "epochsFinal",
      args,
    }),
  ]);
  const agreed = bondTerms.requiredBond > 0n || bondTerms.ratePerGpuHour > 0n;
  return {
    state,
    gpuOperator: terms.gpuOperator,
    token: terms.settlementToken,
    windowStart: Number(terms.windowStart),
    tranches,
    sale,
    bond,
    bondTerms: agreed ? { required: bondTerms.requiredBond, rate: bondTerms.ratePerGpuHour } : null,
    bondSufficient,
    shortfallDue,
    settleable,
    epochsFinal,
  };
}

/** Addresses of the deployment; null where nothing is deployed. */
export function useContracts(): Contracts | null {
  const { contracts } = useService();
  return contracts.FacilityRegistry === undefined ? null : (contracts as Contracts);
}

export function useChainFacts(facilityId: number) {
  const client = usePublicClient();
  const contracts = useContracts();
  return useQuery({
    queryKey: ["chain", "facility", facilityId],
    queryFn: () => {
      if (client === undefined || contracts === null) throw new Error("Nothing is deployed.");
      return readChainFacts(client, contracts, BigInt(facilityId));
    },
    refetchInterval: 4_000,
  });
}

/** Balance of an account, and what it allows a spender to take. */
export function useFunds(token: Address, owner: Address | undefined, spender: Address) {
  const client = usePublicClient();
  return useQuery({
    queryKey: ["chain", "funds", token, owner, spender],
    queryFn: async () => {
      if (client === undefined || owner === undefined) return null;
      const erc20 = { address: token, abi: erc20Abi } as const;
      const [balance, allowance] = await Promise.all([
        client.readContract({ ...erc20, functionName: "balanceOf", args: [owner] }),
        client.readContract({ ...erc20, functionName: "allowance", args: [owner, spender] }),
      ]);
      return { balance, allowance };
    },
    refetchInterval: 4_000,
  });
}

/** What an account may withdraw, by the contract that holds it. */
export function useOwed(token: Address, account: Address) {
  const client = usePublicClient();
  const contracts = useContracts();
  return useQuery({
    queryKey: ["chain", "owed", token, account],
    queryFn: async () => {
      if (client === undefined || contracts === null) throw new Error("Nothing is deployed.");
      const names = ["PrimarySale", "BondVault", "RentLockbox"] as const;
      return Promise.all(
        names.map(async (name) => ({
          name,
          amount: await client.readContract({
            address: contracts[name],
            abi: rentLockboxAbi,
            functionName: "owedTo",
            args: [token, account],
          }),
        })),
      );
    },
    refetchInterval: 4_000,
  });
}
