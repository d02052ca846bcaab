/** Reads what the contracts store, at one block, through a node or a wallet: never through the service. */

import type { Address, Hex, PublicClient } from "viem";
import { facilityRegistryAbi, statementRegistryAbi } from "../generated/abis";
import { type Line, lineTuple } from "./line";
import type { Schedule } from "./period";
import { type Attesters, type Panel, readAttesters, readPanelOf } from "./panels";
import type { Statement } from "./statement";

export interface StoredStatement {
  /** Block that every value is of. */
  block: bigint;
  /** EIP-712 hash; null if the registry stores none: not posted, or void. */
  statementHash: Hex | null;
  postedAtS: number | null;
  /** Hash of the epoch before; null for epoch 0 and where none is stored. */
  previousHash: Hex | null;
  final: boolean;
  signers: readonly Address[];
  /** Attesters that sign for the facility, as they are seated at that block. */
  panel: Panel;
  challengeWindowS: number;
}

export interface RegistryAddresses {
  statements: Address;
  facilities: Address;
}

/** What a facility was offered with, and when it ended. */
export interface FacilityOnChain {
  termsHash: Hex;
  pledgeRoot: Hex;
  schedule: Schedule;
}

export interface ChainReader {
  stored: (facilityId: bigint, epoch: number) => Promise<StoredStatement>;
  /** Null if the chain knows no such facility. */
  facility: (facilityId: bigint) => Promise<FacilityOnChain | null>;
  /** The contract's own answer. Rejects where the statement is not the posted one. */
  verifyLine: (statement: Statement, line: Line, proof: readonly Hex[]) => Promise<boolean>;
  /** Whether a fault of the statement with this hash was proven. */
  voided: (statementHash: Hex) => Promise<boolean>;
  chainId: () => Promise<number>;
  /** Panels, and what is known of these accounts and of everybody who has a seat. */
  attesters: (accounts: readonly Address[]) => Promise<Attesters>;
}

const ZERO = /^0x0*$/;

/** Reader of the registries at `addresses`. */
export function chainReader(client: PublicClient, addresses: RegistryAddresses): ChainReader {
  const statements = { address: addresses.statements, abi: statementRegistryAbi } as const;
  const facilities = { address: addresses.facilities, abi: facilityRegistryAbi } as const;

  const stored = async (facilityId: bigint, epoch: number): Promise<StoredStatement> => {
    const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
    const at = { ...statements, blockNumber } as const;
    const args = [facilityId, epoch] as const;
    const [record, before, final, signers, panel, window] = await Promise.all([
      client.readContract({ ...at, functionName: "statementOf", args }),
      epoch === 0
        ? null
        : client.readContract({
            ...at,
            functionName: "statementOf",
            args: [facilityId, epoch - 1],
          }),
      client.readContract({ ...at, functionName: "isFinal", args }),
      client.readContract({ ...at, functionName: "signersOf", args }),
      readPanelOf(client, addresses.facilities, facilityId, blockNumber),
      client.readContract({ ...at, functionName: "challengeWindow" }),
    ]);
    const posted = !ZERO.test(record.statementHash);
    return {
      block: blockNumber,
      statementHash: posted ? record.statementHash : null,
      postedAtS: posted ? Number(record.postedAt) : null,
      previousHash:
        before === null || ZERO.test(before.statementHash) ? null : before.statementHash,
      final,
      signers,
      panel,
      challengeWindowS: Number(window),
    };
  };

  return {
    stored,
    facility: async (facilityId) => {
      const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
      const at = { ...facilities, blockNumber, args: [facilityId] } as const;
      const terms = await client.readContract({ ...at, functionName: "termsOf" });
      if (ZERO.test(terms.termsHash)) return null;
      const { endedAt } = await client.readContract({ ...at, functionName: "endingOf" });
      const schedule: Schedule = {
        windowStartS: terms.windowStart,
        windowEndS: terms.windowEnd,
        sealedAtS: terms.windowEnd + BigInt(terms.sealSeconds),
        epochLengthS: BigInt(terms.epochLength),
        deviceCount: BigInt(terms.deviceCount),
        endedAtS: BigInt(endedAt) || null,
      };
      return { termsHash: terms.termsHash, pledgeRoot: terms.pledgeRoot, schedule };
    },
    verifyLine: (statement, line, proof) =>
      client.readContract({
        ...statements,
        functionName: "verifyLine",
        args: [statement, lineTuple(statement.facilityId, statement.epoch, line), proof],
      }),
    voided: async (hash) =>
      (await client.readContract({ ...statements, functionName: "verdictOf", args: [hash] }))
        .barred,
    chainId: () => client.getChainId(),
    attesters: async (accounts) => {
      const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
      return readAttesters(client, addresses.facilities, accounts, blockNumber);
    },
  };
}
