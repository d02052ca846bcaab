import { sentenceCase } from "../format/text";
import type { EpochState, FacilityState, SaleState } from "../generated/states";

export type Tone = "good" | "warning" | "bad" | "info" | "quiet";

const TONES: Record<FacilityState | EpochState | SaleState, Tone> = {
  // facilities
  registered: "quiet",
  offered: "info",
  funded: "info",
  delivering: "good",
  matured: "quiet",
  cancelled: "warning",
  defaulted: "bad",
  stopped: "bad",
  // epochs and statements
  future: "quiet",
  open: "info",
  grace: "info",
  closed: "quiet",
  attested: "info",
  posted: "info",
  final: "good",
  settled: "good",
  voided: "bad",
  // sales
  none: "quiet",
  successful: "good",
  refunding: "bad",
};

function toneOf(state: string): Tone {
  return Object.hasOwn(TONES, state) ? TONES[state as keyof typeof TONES] : "quiet";
}

/** A state in one word, with a dot whose colour repeats it. */
export function Status({
  state,
  tone,
  children,
}: {
  state: string;
  tone?: Tone;
  children?: string;
}) {
  return (
    <span className="status" data-tone={tone ?? toneOf(state)}>
      {children ?? sentenceCase(state)}
    </span>
  );
}
