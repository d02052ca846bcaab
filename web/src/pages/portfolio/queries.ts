/** What the portfolio shows: the service's index, and the chain's own figures on top. */

import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import { usePublicClient } from "wagmi";
import { type Schemas, api, dataOf } from "../../api/client";
import { useService } from "../../api/service";
import { pinned } from "../../chain/facts/pinned";
import { readFacilityState } from "../../chain/facts/registry";
import { readHasSale } from "../../chain/facts/sale";
import { readHolding } from "../../chain/facts/token";
import { unitsExpired } from "./ended";

export type PortfolioData = Schemas["PortfolioOut"];
export type PositionRow = Schemas["PositionOut"];

/** Positions, vouchers and refunds as of the newest indexed block. */
export function usePortfolio(address: Address) {
  return useQuery({
    queryKey: ["portfolio", address],
    queryFn: () => dataOf(api.GET("/v1/portfolio/{address}", { params: { path: { address } } })),
    refetchInterval: 5_000,
  });
}

/** A page of what the account did. */
export function useHistory(address: Address, offset: number, limit: number) {
  return useQuery({
    queryKey: ["portfolio", address, "history", offset, limit],
    queryFn: () =>
      dataOf(
        api.GET("/v1/portfolio/{address}/history", {
          params: { path: { address }, query: { offset, limit } },
        }),
      ),
    refetchInterval: 10_000,
  });
}

/** Figures of one position at one block. */
export interface LivePosition {
  units: bigint;
  claimableMicros: bigint;
  streamingMicros: bigint;
  /** Settlement token in which this tranche is claimed. */
  settlementToken: Address;
  /** Whether the offer was cancelled without a sale, so that units can be burned for nothing. */
  expired: boolean;
}

export interface Live {
  block: bigint;
  timeS: number;
  positions: Map<string, LivePosition>;
}

/** Share of a holder in what still streams, rounded down. */
export function streamingShare(unvested: bigint, units: bigint, supply: bigint): bigint {
  return supply === 0n ? 0n : (unvested * units) / supply;
}

/** Units, claimable and streaming revenue by the chain's node, all at its newest block. */
export function useLive(account: Address, tokenIds: readonly string[]) {
  const client = usePublicClient();
  const {
    TrancheToken: token,
    FacilityRegistry: facilities,
    PrimarySale: sale,
  } = useService().contracts;
  return useQuery({
    queryKey: ["chain", "positions", account, tokenIds.join()],
    enabled: client !== undefined && token !== undefined && tokenIds.length > 0,
    refetchInterval: 4_000,
    queryFn: async (): Promise<Live> => {
      if (client === undefined || !token || !facilities || !sale) {
        throw new Error("Nothing is deployed.");
      }
      const at = await pinned(client);
      const read = async (tokenId: string): Promise<[string, LivePosition]> => {
        const id = BigInt(tokenId);
        const [holding, state, sold] = await Promise.all([
          readHolding(at, token, account, id),
          readFacilityState(at, facilities, id >> 8n),
          readHasSale(at, sale, id >> 8n),
        ]);
        const { units, claimableMicros, settlementToken } = holding;
        const streamingMicros = streamingShare(holding.unvestedMicros, units, holding.supply);
        const expired = unitsExpired(state, sold);
        return [tokenId, { units, claimableMicros, streamingMicros, settlementToken, expired }];
      };
      return {
        block: at.blockNumber,
        timeS: at.timeS,
        positions: new Map(await Promise.all(tokenIds.map(read))),
      };
    },
  });
}

/**
 * Ids with something to claim, those of one settlement token together: such neighbours are paid in one transfer.
 * Without figures of the chain those of the index decide.
 */
export function claimOrder(positions: readonly PositionRow[], live: Live | undefined): bigint[] {
  const rows = positions.map((p) => {
    const found = live?.positions.get(p.token_id);
    return {
      id: BigInt(p.token_id),
      claimable: found?.claimableMicros ?? BigInt(p.claimable_micros),
      token: found?.settlementToken.toLowerCase() ?? "",
    };
  });
  return rows
    .filter((r) => r.claimable > 0n)
    .sort((a, b) => (a.token === b.token ? (a.id < b.id ? -1 : 1) : a.token < b.token ? -1 : 1))
    .map((r) => r.id);
}

/** A position that something can be done with. */
export interface Held {
  row: PositionRow;
  /** Units that may leave: held and not frozen. */
  free: bigint;
  /** Undefined until the chain was read. */
  live: LivePosition | undefined;
}
