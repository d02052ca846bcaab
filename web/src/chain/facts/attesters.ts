/** Reads AttesterRegistry and PledgeRegistry: who signs for a facility, and whether they approved its devices. */

import type { Address } from "viem";
import { attesterRegistryAbi, facilityRegistryAbi, pledgeRegistryAbi } from "../abis";
import type { Pinned } from "./pinned";
import { timeOrNull } from "./registry";

export interface PanelFacts {
  /** From 1. */
  number: number;
  /** Signatures needed. */
  threshold: number;
  attesters: readonly Address[];
}

/** Whether attesters approved the devices of an offer, without which it is never funded. */
export interface ApprovalFacts {
  panel: PanelFacts;
  /** Null while they did not. */
  approvedAtS: number | null;
}

export interface SeatFacts {
  address: Address;
  /** Whether its signatures count now: an active member with the least bond. */
  counts: boolean;
  /** Where it says that its verdicts and refusals are found, as it wrote it; empty for nowhere. */
  url: string;
}

function facilities({ blockNumber }: Pinned, address: Address) {
  return { address, abi: facilityRegistryAbi, blockNumber } as const;
}

async function attesters(at: Pinned, register: Address) {
  const address = await at.client.readContract({
    ...facilities(at, register),
    functionName: "attesterRegistry",
  });
  return { address, abi: attesterRegistryAbi, blockNumber: at.blockNumber } as const;
}

/** Panel and approval of an offer. Rejects where there is no offer. */
export async function readApproval(
  at: Pinned,
  register: Address,
  facilityId: bigint,
): Promise<ApprovalFacts> {
  const { client, blockNumber } = at;
  const args = [facilityId] as const;
  const [registry, pledges, terms] = await Promise.all([
    attesters(at, register),
    client.readContract({ ...facilities(at, register), functionName: "pledgeRegistry" }),
    client.readContract({ ...facilities(at, register), functionName: "epochTermsOf", args }),
  ]);
  const number = terms.panel;
  const [[seats, threshold], approved] = await Promise.all([
    client.readContract({ ...registry, functionName: "panelOf", args: [number] }),
    client.readContract({
      address: pledges,
      abi: pledgeRegistryAbi,
      functionName: "pledgesOf",
      args,
      blockNumber,
    }),
  ]);
  return {
    panel: { number, threshold, attesters: seats },
    approvedAtS: timeOrNull(approved[0]?.approvedAt ?? 0),
  };
}

/** Seats of a panel, with where each attester publishes. */
export async function readSeats(
  at: Pinned,
  register: Address,
  panel: PanelFacts,
): Promise<SeatFacts[]> {
  const registry = await attesters(at, register);
  return Promise.all(
    panel.attesters.map(async (address) => {
      const args = [address] as const;
      const [counts, url] = await Promise.all([
        at.client.readContract({ ...registry, functionName: "isAttester", args }),
        at.client.readContract({ ...registry, functionName: "urlOf", args }),
      ]);
      return { address, counts, url };
    }),
  );
}
