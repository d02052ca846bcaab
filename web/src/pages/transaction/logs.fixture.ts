/** Logs as contracts emit them, for tests. */

import {
  type Abi,
  type AbiEvent,
  type AbiParameter,
  type Address,
  type Hex,
  type Log,
  encodeAbiParameters,
  encodeEventTopics,
  getAddress,
  zeroHash,
} from "viem";
import type { ContractName } from "../../api/config";

const NAMES: readonly ContractName[] = [
  "FacilityRegistry",
  "StatementRegistry",
  "TrancheToken",
  "InvestorRegistry",
  "RentLockbox",
  "PrimarySale",
  "BondVault",
  "DeliveryDesk",
  "AttesterRegistry",
  "PledgeRegistry",
  "WalletDesk",
  "AttesterDesk",
  "RefundDesk",
  "SettlementToken",
  "AccessManager",
];

const addressOf = (n: number): Address => getAddress(`0x${n.toString(16).padStart(40, "c")}`);

/** A deployment. */
export const CONTRACTS = Object.fromEntries(
  NAMES.map((name, i) => [name, addressOf(i + 1)]),
) as Record<ContractName, Address>;

/** A value of a type, as a contract would give it; structs and lists too. */
export function sampleOf(parameter: AbiParameter): unknown {
  const { type } = parameter;
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list !== null) {
    const one = { ...parameter, type: list[1] ?? "" };
    return Array.from({ length: Number(list[2]) || 2 }, () => sampleOf(one));
  }
  if (type === "tuple" && "components" in parameter) {
    return Object.fromEntries(parameter.components.map((c) => [c.name, sampleOf(c)]));
  }
  if (type === "address") return "0xBcd4042DE499D14e55001CcbB24a551F3b954096";
  if (type === "bool") return true;
  if (type === "string") return "ipfs://terms";
  const bytes = /^bytes(\d*)$/.exec(type);
  if (bytes !== null) return `0x${"ab".repeat(Number(bytes[1]) || 5)}`;
  const bits = Number(/\d+$/.exec(type)?.[0] ?? "256");
  if (bits === 8) return 1;
  return bits > 48 ? 1_700_000_000n : 3;
}

/** The log of an event, encoded as the chain has it. */
export function logOf(
  contract: ContractName,
  abi: Abi,
  eventName: string,
  args: Record<string, unknown>,
): Log {
  const event = abi.find((e): e is AbiEvent => e.type === "event" && e.name === eventName);
  if (event === undefined) throw new Error(`${contract} has no event ${eventName}`);
  const plain = event.inputs.filter((i) => i.indexed !== true);
  return {
    address: CONTRACTS[contract],
    topics: encodeEventTopics({ abi: [event], eventName, args }) as [Hex],
    data: encodeAbiParameters(
      plain,
      plain.map((i) => args[i.name ?? ""]),
    ),
    blockHash: zeroHash,
    blockNumber: 1n,
    blockTimestamp: 1_700_000_000n,
    logIndex: 0,
    transactionHash: zeroHash,
    transactionIndex: 0,
    removed: false,
  };
}
