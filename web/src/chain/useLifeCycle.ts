/** The life cycle of a facility, read from the chain at its newest block. */

import { useQuery } from "@tanstack/react-query";
import type { Address, PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../api/service";
import { readBook, readClaims, readClosableFrom } from "./facts/lockbox";
import { pinned } from "./facts/pinned";
import { readDefaultNoticedAt, readEnding, readFacilityState, readOffer } from "./facts/registry";
import {
  readClosingStatement,
  readEpochsPosted,
  readFinalGross,
  readOpenness,
} from "./facts/statements";
import type { LifeCycle } from "./lifeCycle";

interface Contracts {
  facilities: Address;
  statements: Address;
  lockbox: Address;
}

/** Facts of a facility at the newest block; null while it is not funded, or was never. */
async function readLifeCycle(
  client: PublicClient,
  { facilities, statements, lockbox }: Contracts,
  facilityId: bigint,
): Promise<LifeCycle | null> {
  const at = await pinned(client);
  const [state, ending] = await Promise.all([
    readFacilityState(at, facilities, facilityId),
    readEnding(at, facilities, facilityId),
  ]);
  if (ending.fundedAtS === null) return null;
  const [offer, openness, epochsPosted, closingStatement, attestedMicros] = await Promise.all([
    readOffer(at, facilities, facilityId),
    readOpenness(at, statements, facilityId),
    readEpochsPosted(at, statements, facilityId),
    readClosingStatement(at, statements, facilityId),
    readFinalGross(at, statements, facilityId),
  ]);
  const [book, closableFromS, claims] = await Promise.all([
    readBook(at, lockbox, facilityId),
    readClosableFrom(at, lockbox, facilityId),
    readClaims(at, lockbox, facilityId),
  ]);
  const noticedAtS = await readDefaultNoticedAt(at, facilities, facilityId, openness.firstOpen);
  return {
    nowS: at.timeS,
    state,
    offer,
    ...ending,
    ...openness,
    ...book,
    noticedAtS,
    epochsPosted,
    closingStatement,
    attestedMicros,
    closableFromS,
    claims,
  };
}

export function useLifeCycle(facilityId: number) {
  const client = usePublicClient();
  const { FacilityRegistry, StatementRegistry, RentLockbox } = useService().contracts;
  return useQuery({
    queryKey: ["chain", "lifeCycle", facilityId],
    refetchInterval: 4_000,
    queryFn: () => {
      if (client === undefined || !FacilityRegistry || !StatementRegistry || !RentLockbox) {
        return null;
      }
      const contracts = {
        facilities: FacilityRegistry,
        statements: StatementRegistry,
        lockbox: RentLockbox,
      };
      return readLifeCycle(client, contracts, BigInt(facilityId));
    },
  });
}
