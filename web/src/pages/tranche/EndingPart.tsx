import { Suspense, lazy } from "react";
import { duration, instant } from "../../format/time";
import { Section } from "../../parts/Section";
import type { Tranche } from "./queries";

// Asks the node and sends, which needs more code than the rest of the page.
const EndingOf = lazy(async () => ({ default: (await import("./EndingOf")).EndingOf }));

/** Default, long stop and closing: when each can be, and what it gave. */
export function EndingPart({ tranche }: { tranche: Tranche }) {
  const { patience_s, seal_s, long_stop_s } = tranche.terms;
  const sealedAtS = tranche.window_end_s + seal_s;
  return (
    <Section
      title="Default, end and closing"
      anchor="ending"
      about={`A facility ends in one of three ways. It matures once its closing statement is final and attested rent is paid, or 90 days after a notice that it is not. That statement has late usage, late outages and corrections and comes when the seal is over, ${instant(sealedAtS)}: nothing matures before, and until then the bond stays. It defaults when an epoch is neither stated nor published ${duration(patience_s)} after its end and stays so for an epoch and a day after a notice. Anybody can stop it from its long stop on, ${instant(sealedAtS + long_stop_s)}. Anybody can send each of these acts once it is due.`}
    >
      <Suspense>
        <EndingOf tranche={tranche} />
      </Suspense>
    </Section>
  );
}
