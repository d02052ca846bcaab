import { useCallback, useState } from "react";
import { ApiProblem } from "../../api/client";
import { closingNumberOf } from "../../format/statement";
import { sentence } from "../../verify/check";
import { type JudgeSources, type Verdict, judge } from "../../verify/judge";
import type { Place } from "../../verify/record";
import { evidenceBytes, fetchFacilities, fetchProof } from "./queries";
import type { Reader } from "./reader";

type State =
  | { step: "idle" }
  | { step: "running" }
  | { step: "refused"; problem: string }
  | { step: "done"; verdict: Verdict; name: string | null };

async function spans() {
  return (await fetchFacilities()).map((f) => ({
    facilityId: BigInt(f.facility_id),
    windowStartS: f.window_start_s,
    epochLengthS: f.epoch_length_s,
    epochsClosed: f.epochs_closed,
    closing: closingNumberOf(f),
  }));
}

async function proofOf(place: Place, index: number) {
  try {
    return await fetchProof(Number(place.facilityId), place.epoch, index);
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return null;
    throw error;
  }
}

/** Compares a record; the answer to the last one stands. */
export function useJudge(reader: Reader) {
  const [state, setState] = useState<State>({ step: "idle" });
  const { chain, name: chainName } = reader;
  const check = useCallback(
    async (bytes: Uint8Array, hint: Partial<Place>, name: string | null) => {
      if (chain === null) return;
      setState({ step: "running" });
      const sources: JudgeSources = {
        chain,
        chainName,
        spans,
        evidence: evidenceBytes,
        proof: proofOf,
      };
      try {
        setState({ step: "done", verdict: await judge(bytes, hint, sources), name });
      } catch (error) {
        setState({ step: "refused", problem: sentence(error) });
      }
    },
    [chain, chainName],
  );
  return { state, check };
}
