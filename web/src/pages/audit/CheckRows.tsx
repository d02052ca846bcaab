import { Progress } from "@mantine/core";
import type { Check, CheckState, Side } from "../../verify/check";
import { Hash } from "../../parts/Hash";
import { Status, type Tone } from "../../parts/Status";
import classes from "./CheckRows.module.css";

const WORDS: Record<CheckState, { word: string; tone: Tone }> = {
  waiting: { word: "Waiting", tone: "quiet" },
  running: { word: "Running", tone: "info" },
  equal: { word: "Equal", tone: "good" },
  different: { word: "Different", tone: "bad" },
  unknown: { word: "Not compared", tone: "warning" },
};

/** Comparisons, one a row: how it ended, both values, and where each comes from. */
export function CheckRows({ checks, label }: { checks: readonly Check[]; label: string }) {
  return (
    <ul className={`surface ${classes.rows}`} aria-label={label}>
      {checks.map((check) => (
        <Row key={check.id} check={check} />
      ))}
    </ul>
  );
}

function Row({ check }: { check: Check }) {
  const { word, tone } = WORDS[check.state];
  // Of two values that differ, every digit is shown.
  const whole = check.state === "different";
  const ruled = check.state === "equal" && check.theirs === undefined;
  return (
    <li className={classes.row} data-state={check.state}>
      <div className={classes.name}>
        <span>{check.title}</span>
        <Status state={check.state} tone={tone}>
          {ruled ? "Kept" : word}
        </Status>
      </div>
      {check.ours !== undefined && <Value side={check.ours} whole={whole} />}
      {check.theirs !== undefined && <Value side={check.theirs} whole={whole} />}
      {check.state === "running" && check.share !== undefined && (
        <Progress
          className={classes.note ?? ""}
          value={check.share * 100}
          aria-label={`${check.title}: ${Math.floor(check.share * 100)} % done`}
        />
      )}
      {check.note !== undefined && <div className={classes.note}>{check.note}</div>}
    </li>
  );
}

function Value({ side, whole }: { side: Side; whole: boolean }) {
  return (
    <div className={classes.side}>
      {/^0x[0-9a-fA-F]{64}$/.test(side.value) ? (
        <Hash value={side.value} whole={whole} />
      ) : (
        <span className="figures">{side.value}</span>
      )}
      <span className={classes.from}>{side.from}</span>
    </div>
  );
}
