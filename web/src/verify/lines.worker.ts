/** Recomputes lines beside the page. It fetches nothing: text in, report out. */

import { type LinesJob, type LinesReport, recompute } from "./recompute";

export type WorkerAnswer = { share: number } | { report: LinesReport } | { problem: string };

addEventListener("message", ({ data }: MessageEvent<LinesJob>) => {
  const answer = (message: WorkerAnswer) => postMessage(message);
  try {
    const work = recompute(data);
    for (;;) {
      const step = work.next();
      if (step.done === true) {
        answer({ report: step.value });
        return;
      }
      answer({ share: step.value });
    }
  } catch (error) {
    answer({ problem: error instanceof Error ? error.message : String(error) });
  }
});
