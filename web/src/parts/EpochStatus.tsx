import { Status } from "./Status";
import { epochWords } from "./epochWords";

/** The state of an epoch or its statement; of one that a settlement counts, how much of its rent came. */
export function EpochStatus({
  state,
  grossMicros,
  paid,
}: {
  state: string;
  grossMicros: number | null;
  /** Undefined while it is not known. */
  paid: bigint | undefined;
}) {
  const { words, tone } = epochWords(state, grossMicros, paid);
  return (
    <Status state={state} {...(tone !== null && { tone })}>
      {words}
    </Status>
  );
}
