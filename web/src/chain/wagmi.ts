/** Wallets (EIP-6963, else EIP-1193) and the node that pages read. */

import { defineChain } from "viem";
import { createConfig, http } from "wagmi";
import { injected } from "wagmi/connectors/injected";
import type { ServiceConfig } from "../api/config";

/** Configuration for the one chain that the service lives on. */
export function makeWagmi(service: ServiceConfig) {
  const chain = defineChain({
    id: service.chain_id,
    name: service.chain_name,
    nativeCurrency: { name: service.native_symbol, symbol: service.native_symbol, decimals: 18 },
    rpcUrls: { default: { http: [service.rpc_url] } },
    ...(service.explorer_url !== null && {
      blockExplorers: { default: { name: "Explorer", url: service.explorer_url } },
    }),
  });
  return createConfig({
    chains: [chain],
    // `injected` is the wallet that only sets window.ethereum; those that announce themselves come by EIP-6963.
    connectors: [injected()],
    multiInjectedProviderDiscovery: true,
    transports: { [chain.id]: http(service.rpc_url, { batch: { wait: 10 }, retryCount: 2 }) },
    pollingInterval: 2_000,
  });
}
