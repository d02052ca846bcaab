/** Settings of the service that pages need before anything else: chain, contracts, stablecoin. */

import type { Address } from "viem";

export type ContractName =
  | "FacilityRegistry"
  | "StatementRegistry"
  | "TrancheToken"
  | "InvestorRegistry"
  | "RentLockbox"
  | "PrimarySale"
  | "BondVault"
  | "DeliveryDesk"
  | "AttesterRegistry"
  | "PledgeRegistry"
  | "WalletDesk"
  | "AttesterDesk"
  | "RefundDesk"
  | "SettlementToken"
  | "AccessManager";

export interface DemoAccount {
  role: string;
  address: Address;
  name: string;
  note: string;
}

export interface ServiceConfig {
  chain_id: number;
  chain_name: string;
  rpc_url: string;
  native_symbol: string;
  settlement_token: { address: Address; symbol: string; name: string; decimals: number } | null;
  contracts: Partial<Record<ContractName, Address>>;
  challenge_window_s: number | null;
  /** Null: final is what the node calls finalized. */
  confirmations: number | null;
  explorer_url: string | null;
  clock: "system" | "chain";
  now_s: number;
  demo_accounts: DemoAccount[];
}

/** Reads the settings. Raises Error with a sentence for people. */
export async function loadConfig(): Promise<ServiceConfig> {
  const answer = await fetch("/v1/config");
  if (!answer.ok) throw new Error(`The service answered ${answer.status}.`);
  return (await answer.json()) as ServiceConfig;
}
