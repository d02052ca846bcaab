/** Calls and events by our ABIs. */

import {
  type Abi,
  type AbiParameter,
  type Address,
  type Hex,
  type Log,
  decodeEventLog,
  decodeFunctionData,
  getAbiItem,
} from "viem";
import type { ContractName } from "../../api/config";
import * as abis from "../../chain/abis";

/** ABI of every contract whose calls and events are decoded. */
export const ABI_OF: Record<Exclude<ContractName, "AccessManager">, Abi> = {
  FacilityRegistry: abis.facilityRegistryAbi as unknown as Abi,
  StatementRegistry: abis.statementRegistryAbi as unknown as Abi,
  TrancheToken: abis.trancheTokenAbi as unknown as Abi,
  InvestorRegistry: abis.investorRegistryAbi as unknown as Abi,
  RentLockbox: abis.rentLockboxAbi as unknown as Abi,
  PrimarySale: abis.primarySaleAbi as unknown as Abi,
  BondVault: abis.bondVaultAbi as unknown as Abi,
  AttesterRegistry: abis.attesterRegistryAbi as unknown as Abi,
  PledgeRegistry: abis.pledgeRegistryAbi as unknown as Abi,
  DeliveryDesk: abis.deliveryDeskAbi as unknown as Abi,
  WalletDesk: abis.walletDeskAbi as unknown as Abi,
  AttesterDesk: abis.attesterDeskAbi as unknown as Abi,
  RefundDesk: abis.refundDeskAbi as unknown as Abi,
  SettlementToken: abis.erc20Abi as unknown as Abi,
};

export type Contracts = Partial<Record<ContractName, Address>>;

/** Which contract of the deployment an address is; null if none. */
export function contractAt(contracts: Contracts, address: Address | null): ContractName | null {
  if (address === null) return null;
  const found = Object.entries(contracts).find(
    ([, at]) => at.toLowerCase() === address.toLowerCase(),
  );
  return found === undefined ? null : (found[0] as ContractName);
}

export interface Argument {
  name: string;
  type: string;
  value: unknown;
}

export interface DecodedCall {
  contract: ContractName;
  functionName: string;
  args: Argument[];
}

const named = (inputs: readonly AbiParameter[], args: readonly unknown[]): Argument[] =>
  inputs.map((input, i) => ({ name: input.name ?? "", type: input.type, value: args[i] }));

/** Function and arguments of a call of one of our contracts; null for everything else. */
export function decodeCall(
  contracts: Contracts,
  to: Address | null,
  input: Hex,
): DecodedCall | null {
  const contract = contractAt(contracts, to);
  if (contract === null || contract === "AccessManager") return null;
  try {
    const abi = ABI_OF[contract];
    const { functionName, args = [] } = decodeFunctionData({ abi, data: input });
    const item = getAbiItem({ abi, name: input.slice(0, 10) as Hex });
    const inputs = item !== undefined && "inputs" in item ? item.inputs : [];
    return { contract, functionName, args: named(inputs, args) };
  } catch {
    return null;
  }
}

export interface DecodedEvent {
  contract: ContractName;
  eventName: string;
  args: Record<string, unknown>;
}

/** Name and arguments of an event of one of our contracts; null for everything else. */
export function decodeEvent(contracts: Contracts, log: Log): DecodedEvent | null {
  const contract = contractAt(contracts, log.address);
  if (contract === null || contract === "AccessManager") return null;
  try {
    const { eventName, args } = decodeEventLog({
      abi: ABI_OF[contract],
      data: log.data,
      topics: log.topics,
    });
    if (eventName === undefined) return null;
    return { contract, eventName, args: (args ?? {}) as unknown as Record<string, unknown> };
  } catch {
    return null;
  }
}

/** An argument as text: numbers in full, lists and structs in brackets. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${textOf(item)}`)
      .join(", ")}}`;
  }
  return String(value);
}
