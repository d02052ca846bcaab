/** What the chain says of a facility, read through the wallet's or the configured node. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../../api/service";
import type { ContractName } from "../../api/config";
import {
  type ApprovalFacts,
  type PanelFacts,
  readApproval,
  readSeats,
} from "../../chain/facts/attesters";
import { type BondFacts, readBond } from "../../chain/facts/bond";
import { readFunds } from "../../chain/facts/coin";
import { readOwed, readSettleable } from "../../chain/facts/lockbox";
import { type Pinned, pinned } from "../../chain/facts/pinned";
import { readFacilityState, readOffer, readTrancheTerms } from "../../chain/facts/registry";
import { type SaleFacts, readReleasable, readSale } from "../../chain/facts/sale";
import { readSupply } from "../../chain/facts/token";
import type { FacilityState } from "../../generated/states";

export interface TrancheFacts {
  id: bigint;
  capUnits: bigint;
  couponPerUnitMicros: bigint;
  supplyUnits: bigint;
}

export type OwnSale = SaleFacts & { releasableMicros: bigint };

export interface ChainFacts {
  state: FacilityState;
  gpuOperator: Address;
  token: Address;
  windowStartS: number;
  expiresAtS: number;
  /** Available GPU-seconds that are promised of the whole window. */
  promisedGpuSeconds: bigint;
  /** Share of the protocol fee which attesters earn. */
  attesterFeeBps: number;
  tranches: TrancheFacts[];
  sale: OwnSale | null;
  bondMicros: bigint;
  /** Null while no terms were set. */
  bondTerms: BondFacts["terms"];
  bondSufficient: boolean;
  /** Whether attesters approved its devices, without which it is never funded. */
  approval: ApprovalFacts;
  settleableMicros: bigint;
}

type Contracts = Record<ContractName, Address>;

async function readOwnSale(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<OwnSale | null> {
  const [sale, releasableMicros] = await Promise.all([
    readSale(at, address, facilityId),
    readReleasable(at, address, facilityId),
  ]);
  return sale && { ...sale, releasableMicros };
}

async function readTranches(
  at: Pinned,
  contracts: Contracts,
  facilityId: bigint,
): Promise<TrancheFacts[]> {
  const terms = await readTrancheTerms(at, contracts.FacilityRegistry, facilityId);
  return Promise.all(
    terms.map(async ({ unitCap, couponPerUnitMicros }, seniority) => {
      const id = (facilityId << 8n) | BigInt(seniority);
      const supplyUnits = await readSupply(at, contracts.TrancheToken, id);
      return { id, capUnits: unitCap, couponPerUnitMicros, supplyUnits };
    }),
  );
}

/** Reads one facility at the newest block; null while it is not offered. */
export async function readChainFacts(
  client: PublicClient,
  contracts: Contracts,
  facilityId: bigint,
): Promise<ChainFacts | null> {
  const at = await pinned(client);
  const state = await readFacilityState(at, contracts.FacilityRegistry, facilityId);
  if (state === "registered") return null;
  const [offer, tranches, sale, bond, approval, settleableMicros] = await Promise.all([
    readOffer(at, contracts.FacilityRegistry, facilityId),
    readTranches(at, contracts, facilityId),
    readOwnSale(at, contracts.PrimarySale, facilityId),
    readBond(at, contracts.BondVault, facilityId),
    readApproval(at, contracts.FacilityRegistry, facilityId),
    readSettleable(at, contracts.RentLockbox, facilityId),
  ]);
  return {
    state,
    gpuOperator: offer.gpuOperator,
    token: offer.settlementToken,
    windowStartS: offer.windowStartS,
    expiresAtS: offer.expiresAtS,
    promisedGpuSeconds: offer.promisedGpuSeconds,
    attesterFeeBps: offer.attesterFeeBps,
    tranches,
    sale,
    bondMicros: bond.heldMicros,
    bondTerms: bond.terms,
    bondSufficient: bond.sufficient,
    approval,
    settleableMicros,
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

/** Seats of a panel: whose signatures count now, and where each attester publishes. */
export function useSeats(panel: PanelFacts) {
  const client = usePublicClient();
  const contracts = useContracts();
  return useQuery({
    queryKey: ["chain", "seats", panel.number, panel.attesters],
    queryFn: async () => {
      if (client === undefined || contracts === null) throw new Error("Nothing is deployed.");
      return readSeats(await pinned(client), contracts.FacilityRegistry, panel);
    },
    refetchInterval: 10_000,
  });
}

/** Balance of an account, and what it allows a spender to take. */
export function useFunds(token: Address, owner: Address | undefined, spender: Address) {
  const client = usePublicClient();
  return useQuery({
    queryKey: ["chain", "funds", token, owner, spender],
    queryFn: async () => {
      if (client === undefined || owner === undefined) return null;
      return readFunds(await pinned(client), token, owner, spender);
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
      const names = [
        "PrimarySale",
        "BondVault",
        "AttesterRegistry",
        "AttesterDesk",
        "RentLockbox",
      ] as const;
      const at = await pinned(client);
      return Promise.all(
        names.map(async (name) => ({
          name,
          owedMicros: await readOwed(at, contracts[name], token, account),
        })),
      );
    },
    refetchInterval: 4_000,
  });
}
