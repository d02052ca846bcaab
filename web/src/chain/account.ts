/** What the chain says of an account: may it hold units, is there code. Read from the node, not from the service. */

import { useQuery } from "@tanstack/react-query";
import { type Address, getAddress, isAddress } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../api/service";
import { investorRegistryAbi } from "./abis";
import { type AccountKind, kindOfCode } from "./code";

/** An account that people typed or pasted; null unless it is one. Mixed case must carry a right checksum. */
export function parseAccount(text: string): Address | null {
  const trimmed = text.trim();
  return isAddress(trimmed) ? getAddress(trimmed) : null;
}

export interface Eligibility {
  canSend: boolean;
  canReceive: boolean;
  /** Null where the register has no entry of its own. */
  expiresAtS: number | null;
  country: number | null;
  kind: AccountKind;
}

/** Whether an account may send and receive units, by the chain. */
export function useEligibility(account: Address | null | undefined) {
  const client = usePublicClient();
  const { contracts } = useService();
  const registry = contracts.InvestorRegistry;
  return useQuery({
    queryKey: ["chain", "eligibility", account],
    enabled: client !== undefined && registry !== undefined && account != null,
    refetchInterval: 10_000,
    queryFn: async (): Promise<Eligibility> => {
      if (client === undefined || registry === undefined || account == null) {
        throw new Error("Nothing is deployed.");
      }
      const at = { address: registry, abi: investorRegistryAbi } as const;
      const [canSend, canReceive, entry, code] = await Promise.all([
        client.readContract({ ...at, functionName: "canSend", args: [account] }),
        client.readContract({ ...at, functionName: "canReceive", args: [account] }),
        client.readContract({ ...at, functionName: "investorOf", args: [account] }),
        client.getCode({ address: account }),
      ]);
      return {
        canSend,
        canReceive,
        expiresAtS: entry.expiresAt === 0n ? null : Number(entry.expiresAt),
        country: entry.country === 0 ? null : entry.country,
        kind: kindOfCode(code),
      };
    },
  });
}
