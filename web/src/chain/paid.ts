/** How much of the rent of settled epochs was paid: a settlement counts an epoch whether or not its rent came. */

import { useQuery } from "@tanstack/react-query";
import { usePublicClient } from "wagmi";
import { useService } from "../api/service";
import { readBook } from "./facts/lockbox";
import { pinned } from "./facts/pinned";
import { readCumulativeGross } from "./facts/statements";

/** Part of an epoch's gross revenue that settlements paid: rent pays epochs in their order. */
export function paidOf(settledMicros: bigint, cumulativeGross: bigint, gross: bigint): bigint {
  const left = settledMicros - (cumulativeGross - gross);
  return left <= 0n ? 0n : left < gross ? left : gross;
}

/** An epoch whose statement stands on-chain, and what it attests. */
export interface Attested {
  epoch: number;
  grossMicros: number;
}

/** What of each epoch's rent was paid, by its number, at the newest block. */
export function usePaid(facilityId: number, epochs: readonly Attested[]) {
  const client = usePublicClient();
  const { RentLockbox: lockbox, StatementRegistry: statements } = useService().contracts;
  return useQuery({
    queryKey: [
      "chain",
      "paid",
      facilityId,
      epochs.map((e) => `${e.epoch}/${e.grossMicros}`).join(),
    ],
    enabled: client !== undefined && epochs.length > 0,
    refetchInterval: 10_000,
    queryFn: async (): Promise<ReadonlyMap<number, bigint>> => {
      if (client === undefined || !lockbox || !statements) throw new Error("Nothing is deployed.");
      const at = await pinned(client);
      const id = BigInt(facilityId);
      const { settledMicros } = await readBook(at, lockbox, id);
      const read = async ({ epoch, grossMicros }: Attested): Promise<[number, bigint]> => {
        const cumulative = await readCumulativeGross(at, statements, id, epoch);
        return [epoch, paidOf(settledMicros, cumulative, BigInt(grossMicros))];
      };
      return new Map(await Promise.all(epochs.map(read)));
    },
  });
}
