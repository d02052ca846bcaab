/** Reads AttesterRegistry at one block: who sits on which panel, and what each attester has at stake. */

import type { Address, PublicClient } from "viem";
import { attesterRegistryAbi, facilityRegistryAbi } from "../generated/abis";

export interface Panel {
  /** From 1. */
  number: number;
  /** Signatures needed; 0 while its first seats do not hold yet. */
  threshold: number;
  attesters: readonly Address[];
}

export interface Attester {
  address: Address;
  bondMicros: bigint;
  /** Whether its signatures count: an active member with the least bond. */
  counts: boolean;
  /** Where it says that its verdicts and refusals are found, as it wrote it; empty for nowhere. */
  url: string;
}

export interface Attesters {
  /** Block that every value is of. */
  block: bigint;
  /** Least bond with which signatures count. */
  minimumBondMicros: bigint;
  panels: readonly Panel[];
  /** Panel that new offers are given; null while there is none. */
  offerPanel: number | null;
  members: readonly Attester[];
}

/** Address of AttesterRegistry, as the facilities' register names it. */
function registryOf(
  client: PublicClient,
  facilities: Address,
  blockNumber: bigint,
): Promise<Address> {
  return client.readContract({
    address: facilities,
    abi: facilityRegistryAbi,
    functionName: "attesterRegistry",
    blockNumber,
  });
}

/** Panel that signs for a facility. Rejects where the chain knows no such facility. */
export async function readPanelOf(
  client: PublicClient,
  facilities: Address,
  facilityId: bigint,
  blockNumber: bigint,
): Promise<Panel> {
  const [registry, { panel }] = await Promise.all([
    registryOf(client, facilities, blockNumber),
    client.readContract({
      address: facilities,
      abi: facilityRegistryAbi,
      functionName: "epochTermsOf",
      args: [facilityId],
      blockNumber,
    }),
  ]);
  if (panel === 0) throw new Error("The chain knows no such facility.");
  return readPanel(client, registry, panel, blockNumber);
}

async function readPanel(
  client: PublicClient,
  registry: Address,
  number: number,
  blockNumber: bigint,
): Promise<Panel> {
  const [attesters, threshold] = await client.readContract({
    address: registry,
    abi: attesterRegistryAbi,
    functionName: "panelOf",
    args: [number],
    blockNumber,
  });
  return { number, threshold, attesters };
}

/** All panels, and everybody on them with `accounts`, in order of address. */
export async function readAttesters(
  client: PublicClient,
  facilities: Address,
  accounts: readonly Address[],
  blockNumber: bigint,
): Promise<Attesters> {
  const registry = await registryOf(client, facilities, blockNumber);
  const at = { address: registry, abi: attesterRegistryAbi, blockNumber } as const;
  const [minimum, count] = await Promise.all([
    client.readContract({ ...at, functionName: "minimumBond" }),
    client.readContract({ ...at, functionName: "panelCount" }),
  ]);
  const [panels, offerPanel] = await Promise.all([
    Promise.all(
      Array.from({ length: count }, (_, i) => readPanel(client, registry, i + 1, blockNumber)),
    ),
    // It reverts while there is no panel.
    count === 0 ? null : client.readContract({ ...at, functionName: "offerPanel" }),
  ]);
  const all = new Map(
    [...accounts, ...panels.flatMap((p) => p.attesters)].map((a) => [a.toLowerCase(), a]),
  );
  const members = await Promise.all(
    [...all]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(async ([, address]): Promise<Attester> => {
        const args = [address] as const;
        const [bondMicros, counts, url] = await Promise.all([
          client.readContract({ ...at, functionName: "bondOf", args }),
          client.readContract({ ...at, functionName: "isAttester", args }),
          client.readContract({ ...at, functionName: "urlOf", args }),
        ]);
        return { address, bondMicros, counts, url };
      }),
  );
  return { block: blockNumber, minimumBondMicros: minimum, panels, offerPanel, members };
}

/**
 * What today's seats say of the signers of a statement; null if all of them sit on the panel and are enough. The
 * contract asked that when the statement was posted; seats can have changed since.
 */
export function seatsNote(panel: Panel, signers: readonly Address[]): string | null {
  const seated = new Set(panel.attesters.map((a) => a.toLowerCase()));
  const strangers = signers.filter((a) => !seated.has(a.toLowerCase()));
  if (strangers.length === 0 && signers.length >= panel.threshold) return null;
  return `The seats of panel ${panel.number} are others today than when this was signed: ${
    strangers.length === 0
      ? `${panel.threshold} must sign now`
      : `${strangers.join(", ")} no longer ${strangers.length === 1 ? "sits" : "sit"} there`
  }. The contract asked for enough of the panel when it was posted.`;
}
