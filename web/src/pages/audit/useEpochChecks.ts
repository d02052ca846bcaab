import { useCallback, useEffect, useRef, useState } from "react";
import { useContractAddress } from "../../api/service";
import type { Check } from "../../verify/check";
import { checkEpoch } from "../../verify/checkEpoch";
import { EPOCH_CHECKS } from "../../verify/epochChecks";
import { evidenceBytes } from "./queries";
import type { Reader } from "./reader";

const WAITING: readonly Check[] = EPOCH_CHECKS.map((named) => ({ ...named, state: "waiting" }));

/** Checks of one epoch as they run. `start` begins them; leaving the page ends them. */
export function useEpochChecks(reader: Reader, facilityId: number, epoch: number) {
  const registry = useContractAddress("StatementRegistry");
  const [checks, setChecks] = useState<readonly Check[]>(WAITING);
  const [tookMs, setTookMs] = useState<number | null>(null);
  const running = useRef<AbortController | null>(null);
  const { chain, name } = reader;

  const start = useCallback(() => {
    if (chain === null) return;
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const began = performance.now();
    const note = (check: Check) =>
      setChecks((all) => all.map((old) => (old.id === check.id ? check : old)));
    const sources = { evidence: evidenceBytes, chain, registry, chainName: name };
    void checkEpoch(sources, BigInt(facilityId), epoch, note, controller.signal).then(() => {
      if (!controller.signal.aborted) setTookMs(performance.now() - began);
    });
  }, [chain, name, registry, facilityId, epoch]);

  useEffect(() => () => running.current?.abort(), []);

  return { checks, start, tookMs };
}
