/** What the chain says of an account: may it hold units, is there code. Read from the node, not from the service. */

import { useQuery } from "@tanstack/react-query";
import { type Address, getAddress, isAddress } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../api/service";
import { type AccountKind, kindOfCode } from "./code";
import { type InvestorFacts, readInvestor } from "./facts/investors";
import { pinned } from "./facts/pinned";

/** An account that people typed or pasted; null unless it is one. Mixed case must carry a right checksum. */
export function parseAccount(text: string): Address | null {
  const trimmed = text.trim();
  return isAddress(trimmed) ? getAddress(trimmed) : null;
}

export interface Eligibility extends InvestorFacts {
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
      const [entry, code] = await Promise.all([
        pinned(client).then((at) => readInvestor(at, registry, account)),
        client.getCode({ address: account }),
      ]);
      return { ...entry, kind: kindOfCode(code) };
    },
  });
}
