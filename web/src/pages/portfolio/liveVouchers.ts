/** Vouchers and what the bond vault owes, as the chain has them. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import type { Schemas } from "../../api/client";
import { useService } from "../../api/service";
import { bondVaultAbi, deliveryDeskAbi, erc20Abi, facilityRegistryAbi } from "../../chain/abis";
import { type VoucherStanding, standingOf } from "./ended";

export type VoucherRow = Schemas["VoucherOut"];

export interface LiveVoucher {
  servedGpuSeconds: bigint;
  paidGpuSeconds: bigint;
  openGpuSeconds: bigint;
  standing: VoucherStanding;
  /** Of the token in which the bond pays. */
  symbol: string;
}

/** Money of the bond vault that waits to be withdrawn. */
export interface Owed {
  token: Address;
  symbol: string;
  micros: bigint;
}

export interface LiveVouchers {
  vouchers: Map<string, LiveVoucher>;
  owed: Owed[];
}

interface Contracts {
  desk: Address;
  vault: Address;
  facilities: Address;
}

type FacilityFacts = Omit<Parameters<typeof standingOf>[0], "openGpuSeconds"> & { token: Address };

async function readFacility(
  client: PublicClient,
  at: Contracts,
  facilityId: bigint,
  block: { number: bigint; timestamp: bigint },
): Promise<FacilityFacts> {
  const blockNumber = block.number;
  const registry = { address: at.facilities, abi: facilityRegistryAbi, blockNumber } as const;
  const vault = { address: at.vault, abi: bondVaultAbi, blockNumber } as const;
  const args = [facilityId] as const;
  const [facilityState, terms, token, bondMicros, bondTerms, grace] = await Promise.all([
    client.readContract({ ...registry, functionName: "stateOf", args }),
    client.readContract({ ...registry, functionName: "termsOf", args }),
    client.readContract({ ...registry, functionName: "settlementTokenOf", args }),
    client.readContract({ ...vault, functionName: "bondOf", args }),
    client.readContract({ ...vault, functionName: "bondTermsOf", args }),
    client.readContract({
      address: at.desk,
      abi: deliveryDeskAbi,
      functionName: "SERVE_GRACE",
      blockNumber,
    }),
  ]);
  return {
    facilityState,
    nowS: Number(block.timestamp),
    payableFromS: Number(terms.windowEnd) + Number(grace),
    bondMicros,
    rateMicrosPerGpuHour: BigInt(bondTerms.ratePerGpuHour),
    token,
  };
}

async function readOwed(
  client: PublicClient,
  at: Contracts,
  account: Address,
  token: Address,
  blockNumber: bigint,
): Promise<Owed> {
  const [micros, symbol] = await Promise.all([
    client.readContract({
      address: at.vault,
      abi: bondVaultAbi,
      functionName: "owedTo",
      args: [token, account],
      blockNumber,
    }),
    client.readContract({ address: token, abi: erc20Abi, functionName: "symbol" }),
  ]);
  return { token, symbol, micros };
}

async function readVouchers(
  client: PublicClient,
  at: Contracts,
  account: Address,
  rows: readonly VoucherRow[],
): Promise<LiveVouchers> {
  const block = await client.getBlock();
  const ids = [...new Set(rows.map((row) => row.facility_id))];
  const facilities = new Map(
    await Promise.all(
      ids.map(async (id) => [id, await readFacility(client, at, BigInt(id), block)] as const),
    ),
  );
  const tokens = [...new Set([...facilities.values()].map((f) => f.token))];
  const owed = await Promise.all(
    tokens.map((token) => readOwed(client, at, account, token, block.number)),
  );
  const read = async (row: VoucherRow): Promise<[string, LiveVoucher]> => {
    const facts = facilities.get(row.facility_id);
    if (facts === undefined) throw new Error("A voucher without its facility.");
    const found = await client.readContract({
      address: at.desk,
      abi: deliveryDeskAbi,
      functionName: "voucherOf",
      args: [BigInt(row.voucher_id)],
      blockNumber: block.number,
    });
    const servedGpuSeconds = BigInt(found.servedGpuSeconds);
    const paidGpuSeconds = BigInt(found.paidGpuSeconds);
    const openGpuSeconds = BigInt(found.owedGpuSeconds) - servedGpuSeconds - paidGpuSeconds;
    const standing = standingOf({ ...facts, openGpuSeconds });
    const symbol = owed.find((o) => o.token === facts.token)?.symbol ?? "";
    return [row.voucher_id, { servedGpuSeconds, paidGpuSeconds, openGpuSeconds, standing, symbol }];
  };
  const vouchers = new Map(await Promise.all(rows.map(read)));
  return { vouchers, owed: owed.filter((o) => o.micros > 0n) };
}

/** The account's vouchers by the chain's node, all at its newest block. */
export function useLiveVouchers(account: Address, rows: readonly VoucherRow[]) {
  const client = usePublicClient();
  const { DeliveryDesk, BondVault, FacilityRegistry } = useService().contracts;
  return useQuery({
    queryKey: ["chain", "vouchers", account, rows.map((row) => row.voucher_id).join()],
    enabled: client !== undefined && rows.length > 0,
    refetchInterval: 4_000,
    queryFn: (): Promise<LiveVouchers> => {
      if (client === undefined || !DeliveryDesk || !BondVault || !FacilityRegistry) {
        throw new Error("Nothing is deployed.");
      }
      const at = { desk: DeliveryDesk, vault: BondVault, facilities: FacilityRegistry };
      return readVouchers(client, at, account, rows);
    },
  });
}
