import { sentenceCase } from "../format/text";

export type Tone = "good" | "warning" | "bad" | "info" | "quiet";

const TONES: Record<string, Tone> = {
  // facilities
  registered: "quiet",
  offered: "info",
  funded: "info",
  delivering: "good",
  matured: "quiet",
  cancelled: "warning",
  defaulted: "bad",
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
  succeeded: "good",
  failed: "bad",
};

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
    <span className="status" data-tone={tone ?? TONES[state] ?? "quiet"}>
      {children ?? sentenceCase(state)}
    </span>
  );
}
