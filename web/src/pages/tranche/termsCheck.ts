/** Whether the published terms are those that the chain knows: read and hashed by this browser, not by the service. */

import { useQuery } from "@tanstack/react-query";
import { type Hex, bytesToHex } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../../api/service";
import { pinned } from "../../chain/facts/pinned";
import { readOffer } from "../../chain/facts/registry";

export type TermsCheck = { state: "equal" } | { state: "differs"; document: Hex; chain: Hex };

/** SHA-256 of bytes as 0x-hex. Raises Error where the browser has no cryptography (plain http from elsewhere). */
export async function sha256Of(bytes: ArrayBuffer): Promise<Hex> {
  if (globalThis.crypto?.subtle === undefined) throw new Error("this page is not served securely");
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Compares a document's own bytes with the hash that the chain holds. */
export function compare(document: Hex, chain: Hex): TermsCheck {
  return document.toLowerCase() === chain.toLowerCase()
    ? { state: "equal" }
    : { state: "differs", document, chain };
}

/** Asks the node for the facility's termsHash and hashes the document at `path` below /v1/evidence/. */
export function useTermsCheck(facilityId: number, path: string) {
  const client = usePublicClient();
  const registry = useService().contracts.FacilityRegistry;
  return useQuery({
    queryKey: ["chain", "termsHash", facilityId, path],
    enabled: client !== undefined && registry !== undefined,
    // Terms cannot change, and neither can the document that has their hash.
    staleTime: Infinity,
    retry: 1,
    queryFn: async (): Promise<TermsCheck> => {
      if (client === undefined || registry === undefined) {
        throw new Error("nothing to compare");
      }
      const [offer, answer] = await Promise.all([
        pinned(client).then((at) => readOffer(at, registry, BigInt(facilityId))),
        fetch(`/v1/evidence/${path}`),
      ]);
      if (!answer.ok) throw new Error(`the document answered ${answer.status}`);
      return compare(await sha256Of(await answer.arrayBuffer()), offer.termsHash);
    },
  });
}
