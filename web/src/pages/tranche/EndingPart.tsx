import { Suspense, lazy } from "react";
import { duration, instant } from "../../format/time";
import { Section } from "../../parts/Section";
import type { Tranche } from "./queries";

// Asks the node and sends, which needs more code than the rest of the page.
const EndingOf = lazy(async () => ({ default: (await import("./EndingOf")).EndingOf }));

/** Default, long stop and closing: when each can be, and what it gave. */
export function EndingPart({ tranche }: { tranche: Tranche }) {
  const { patience_s, long_stop_s } = tranche.terms;
  return (
    <Section
      title="Default, end and closing"
      anchor="ending"
      about={`A facility ends when it matures, when an epoch is neither stated nor published ${duration(patience_s)} after its end and stays so for an epoch and a day after a notice, or by its long stop, ${instant(tranche.window_end_s + long_stop_s)}. Anybody can send each of these acts once it is due.`}
    >
      <Suspense>
        <EndingOf tranche={tranche} />
      </Suspense>
    </Section>
  );
}
