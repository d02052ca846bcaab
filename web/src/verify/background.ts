/** Runs a recomputation in a Web Worker; where a browser refuses workers, in slices that let the page breathe. */

import type { WorkerAnswer } from "./lines.worker";
import { type LinesJob, type LinesReport, recompute } from "./recompute";

const SLICE_MS = 12;

/** On the page itself, a few milliseconds at a time. */
export async function recomputeInSlices(
  job: LinesJob,
  onShare: (share: number) => void,
  signal?: AbortSignal,
): Promise<LinesReport> {
  const work = recompute(job);
  for (;;) {
    const until = performance.now() + SLICE_MS;
    let step = work.next();
    while (step.done !== true && performance.now() < until) step = work.next();
    if (step.done === true) return step.value;
    onShare(step.value);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  }
}

function inWorker(
  job: LinesJob,
  onShare: (share: number) => void,
  signal?: AbortSignal,
): Promise<LinesReport | "refused"> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./lines.worker.ts", import.meta.url), { type: "module" });
    const end = () => worker.terminate();
    signal?.addEventListener("abort", () => {
      end();
      reject(signal.reason as Error);
    });
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) => {
      if ("share" in data) return onShare(data.share);
      end();
      if ("report" in data) resolve(data.report);
      else reject(new Error(data.problem));
    };
    // Only a worker that could not start comes here: its own failures are answers.
    worker.onerror = () => {
      end();
      resolve("refused");
    };
    worker.postMessage(job);
  });
}

/** Report of a job. Raises Error for a broken row, and where `signal` ends it. */
export async function recomputeInBackground(
  job: LinesJob,
  onShare: (share: number) => void,
  signal?: AbortSignal,
): Promise<LinesReport> {
  if (typeof Worker !== "undefined") {
    const found = await inWorker(job, onShare, signal).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "SecurityError")
        return "refused" as const;
      throw error;
    });
    if (found !== "refused") return found;
  }
  return recomputeInSlices(job, onShare, signal);
}
