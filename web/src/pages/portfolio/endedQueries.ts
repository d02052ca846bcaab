/** What the closing of an ended facility will share, and what it gave. */

import { useQuery } from "@tanstack/react-query";
import { usePublicClient } from "wagmi";
import { api, dataOf } from "../../api/client";
import { useService } from "../../api/service";
import { readBond } from "../../chain/facts/bond";
import { pinned } from "../../chain/facts/pinned";
import { readSale } from "../../chain/facts/sale";

/** Bond, proceeds that were not released and the price of a missing hour, at the newest block. */
export function useStakes(facilityId: number) {
  const client = usePublicClient();
  const { BondVault: vault, PrimarySale: sales } = useService().contracts;
  return useQuery({
    queryKey: ["chain", "stakes", facilityId],
    refetchInterval: 10_000,
    queryFn: async () => {
      if (client === undefined || !vault || !sales) throw new Error("Nothing is deployed.");
      const at = await pinned(client);
      const [bond, sale] = await Promise.all([
        readBond(at, vault, BigInt(facilityId)),
        readSale(at, sales, BigInt(facilityId)),
      ]);
      return {
        bondMicros: bond.heldMicros,
        rateMicros: bond.terms?.rateMicrosPerGpuHour ?? 0n,
        escrowMicros:
          sale === null ? 0n : sale.proceedsMicros - sale.releasedMicros - sale.returnedMicros,
      };
    },
  });
}

/** What the closing shared, by the service; null before it. */
export function useClosing(facilityId: number) {
  return useQuery({
    queryKey: ["facility", facilityId, "closing"],
    refetchInterval: 10_000,
    queryFn: async () => {
      const params = { path: { facility_id: facilityId } };
      const facility = await dataOf(api.GET("/v1/facilities/{facility_id}", { params }));
      return facility.ending?.closing ?? null;
    },
  });
}
