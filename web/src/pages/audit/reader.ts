/** How the auditor's pages read the chain: through the node of the settings, or through the wallet's own. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { createPublicClient, custom, type EIP1193Provider, type PublicClient } from "viem";
import { useConnection, usePublicClient } from "wagmi";
import { useService } from "../../api/service";
import { type ChainReader, chainReader } from "../../verify/registry";

export type Via = "node" | "wallet";

export interface Reader {
  /** Null where nothing is deployed. */
  chain: ChainReader | null;
  via: Via;
  /** How it is read, in words. */
  name: string;
  walletOffered: boolean;
  choose: (via: Via) => void;
}

export function useReader(): Reader {
  const { contracts, rpc_url, chain_id } = useService();
  const node = usePublicClient();
  const { connector, isConnected, chainId } = useConnection();
  const [asked, choose] = useState<Via>("node");
  const right = isConnected && chainId === chain_id && connector !== undefined;
  const { data: provider } = useQuery({
    queryKey: ["provider", connector?.uid],
    queryFn: () => connector?.getProvider() as Promise<EIP1193Provider>,
    enabled: right,
    staleTime: Infinity,
    // A provider is a live object: it must not be compared or copied.
    structuralSharing: false,
  });
  const walletOffered = right && provider !== undefined;
  const via: Via = asked === "wallet" && walletOffered ? "wallet" : "node";
  const chain = node?.chain;
  const client = useMemo<PublicClient | undefined>(
    () =>
      via === "wallet" && provider !== undefined && chain !== undefined
        ? createPublicClient({ chain, transport: custom(provider) })
        : (node as PublicClient | undefined),
    [via, provider, node, chain],
  );
  const statements = contracts.StatementRegistry;
  const facilities = contracts.FacilityRegistry;
  const reader = useMemo(
    () =>
      client === undefined || statements === undefined || facilities === undefined
        ? null
        : chainReader(client, { statements, facilities }),
    [client, statements, facilities],
  );
  const name = via === "wallet" ? "your wallet" : `the node ${new URL(rpc_url).host}`;
  return { chain: reader, via, name, walletOffered, choose };
}
