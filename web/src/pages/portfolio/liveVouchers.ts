/** Vouchers and what the rent lockbox owes, as the chain has them. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import type { Schemas } from "../../api/client";
import { useService } from "../../api/service";
import { readCoin } from "../../chain/facts/coin";
import { readVoucher } from "../../chain/facts/desk";
import {
  readClaims,
  readClosableFrom,
  readOwed,
  readVoucherMoney,
} from "../../chain/facts/lockbox";
import { type Pinned, pinned } from "../../chain/facts/pinned";
import { readEnding, readFacilityState, readOffer } from "../../chain/facts/registry";
import { partsOfTokenId } from "../../format/text";
import { type VoucherFacts, type VoucherStanding, standingOf } from "./ended";

export type VoucherRow = Schemas["VoucherOut"];

export interface LiveVoucher {
  servedGpuSeconds: bigint;
  openGpuSeconds: bigint;
  /** What the closing gave for it and was credited. */
  creditedMicros: bigint;
  standing: VoucherStanding;
  /** Of the token in which the facility is closed. */
  symbol: string;
}

/** Money of the rent lockbox that waits to be withdrawn. */
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
  lockbox: Address;
  facilities: Address;
}

type FacilityFacts = Pick<VoucherFacts, "facilityState" | "closed" | "closableFromS"> & {
  token: Address;
  /** What stays owed to vouchers, by seniority. */
  claimsMicros: readonly bigint[];
};

async function readFacility(
  at: Pinned,
  contracts: Contracts,
  facilityId: bigint,
): Promise<FacilityFacts> {
  const [facilityState, offer, { closedAtS }, closableFromS, claims] = await Promise.all([
    readFacilityState(at, contracts.facilities, facilityId),
    readOffer(at, contracts.facilities, facilityId),
    readEnding(at, contracts.facilities, facilityId),
    readClosableFrom(at, contracts.lockbox, facilityId),
    readClaims(at, contracts.lockbox, facilityId),
  ]);
  return {
    facilityState,
    closed: closedAtS !== null,
    closableFromS,
    token: offer.settlementToken,
    claimsMicros: claims.vouchersMicros,
  };
}

async function readVouchers(
  client: PublicClient,
  contracts: Contracts,
  account: Address,
  rows: readonly VoucherRow[],
): Promise<LiveVouchers> {
  const at = await pinned(client);
  const ids = [...new Set(rows.map((row) => row.facility_id))];
  const facilities = new Map(
    await Promise.all(
      ids.map(async (id) => [id, await readFacility(at, contracts, BigInt(id))] as const),
    ),
  );
  const tokens = [...new Set([...facilities.values()].map((f) => f.token))];
  const owed = await Promise.all(
    tokens.map(async (token): Promise<Owed> => {
      const [micros, coin] = await Promise.all([
        readOwed(at, contracts.lockbox, token, account),
        readCoin(client, token),
      ]);
      return { token, symbol: coin.symbol, micros };
    }),
  );
  const read = async (row: VoucherRow): Promise<[string, LiveVoucher]> => {
    const facts = facilities.get(row.facility_id);
    if (facts === undefined) throw new Error("A voucher without its facility.");
    const [voucher, money] = await Promise.all([
      readVoucher(at, contracts.desk, BigInt(row.voucher_id)),
      readVoucherMoney(at, contracts.lockbox, BigInt(row.voucher_id)),
    ]);
    const { servedGpuSeconds } = voucher;
    const { creditedMicros } = money;
    const openGpuSeconds = voucher.owedGpuSeconds - servedGpuSeconds;
    const { seniority } = partsOfTokenId(row.token_id);
    const claimMicros = facts.claimsMicros[seniority] ?? 0n;
    const standing = standingOf({ ...facts, ...money, openGpuSeconds, claimMicros });
    const symbol = owed.find((o) => o.token === facts.token)?.symbol ?? "";
    return [row.voucher_id, { servedGpuSeconds, openGpuSeconds, creditedMicros, standing, symbol }];
  };
  const vouchers = new Map(await Promise.all(rows.map(read)));
  return { vouchers, owed: owed.filter((o) => o.micros > 0n) };
}

/** The account's vouchers by the chain's node, all at its newest block. */
export function useLiveVouchers(account: Address, rows: readonly VoucherRow[]) {
  const client = usePublicClient();
  const { DeliveryDesk, RentLockbox, FacilityRegistry } = useService().contracts;
  return useQuery({
    queryKey: ["chain", "vouchers", account, rows.map((row) => row.voucher_id).join()],
    enabled: client !== undefined && rows.length > 0,
    refetchInterval: 4_000,
    queryFn: (): Promise<LiveVouchers> => {
      if (client === undefined || !DeliveryDesk || !RentLockbox || !FacilityRegistry) {
        throw new Error("Nothing is deployed.");
      }
      const at = { desk: DeliveryDesk, lockbox: RentLockbox, facilities: FacilityRegistry };
      return readVouchers(client, at, account, rows);
    },
  });
}
