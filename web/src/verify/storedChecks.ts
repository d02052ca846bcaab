/** A statement compared with what the registry stores of it. */

import { ZERO32 } from "./bytes";
import { type Check, compared } from "./check";
import { titleOf } from "./epochChecks";
import { type Schedule, periodOf } from "./period";
import type { StoredStatement } from "./registry";
import { type Statement, statementHash } from "./statement";

/** Whether statement.json is the one that was asked for, and hashes to the one on-chain. */
export function statementCheck(
  statement: Statement,
  stored: StoredStatement,
  asked: { facilityId: bigint; epoch: number },
  chainName: string,
): Check {
  const title = titleOf("statement");
  const nameOf = ({ facilityId, epoch }: { facilityId: bigint; epoch: number }) =>
    `facility ${facilityId}, epoch ${epoch}`;
  if (nameOf(statement) !== nameOf(asked)) {
    const found = { value: nameOf(statement), from: "statement.json" };
    return compared("statement", title, found, { value: nameOf(asked), from: "this page" });
  }
  const ours = { value: statementHash(statement), from: "EIP-712 hash of statement.json" };
  if (stored.statementHash === null) {
    const note = "The registry stores no statement of this number: not posted yet, or voided.";
    return { id: "statement", title, state: "unknown", ours, note };
  }
  const from = `StatementRegistry.statementOf, block ${stored.block}, read through ${chainName}`;
  return compared("statement", title, ours, { value: stored.statementHash, from });
}

/** Whether statement.json continues the statement of the epoch before. */
export function previousCheck(statement: Statement, stored: StoredStatement, epoch: number): Check {
  const ours = { value: statement.previousStatementHash, from: "statement.json" };
  const title = titleOf("previous");
  if (epoch === 0) {
    const theirs = { value: ZERO32, from: "epoch 0 has none before it" };
    return compared("previous", title, ours, theirs);
  }
  if (stored.previousHash === null) {
    const note = `The registry stores no statement for epoch ${epoch - 1}.`;
    return { id: "previous", title, state: "unknown", ours, note };
  }
  const from = `StatementRegistry.statementOf(epoch ${epoch - 1}), block ${stored.block}`;
  return compared("previous", title, ours, { value: stored.previousHash, from });
}

/** `2026-11-26T10:15:00Z`: to the second, as bounds are. */
const stamp = (seconds: bigint): string =>
  new Date(Number(seconds) * 1_000).toISOString().replace(".000", "");

/** Whether a statement is over its epoch, or, behind the last, over the time of the closing statement. */
export function timesCheck(statement: Statement, schedule: Schedule): Check {
  const title = titleOf("times");
  const { epoch, epochStart, epochEnd } = statement;
  const ours = { value: `${stamp(epochStart)} to ${stamp(epochEnd)}`, from: "statement.json" };
  const period = periodOf(schedule, epoch);
  if (period === null) {
    const note = `By its terms and its end the facility has no statement ${epoch}.`;
    return { id: "times", title, state: "different", ours, note };
  }
  const { startS, endsFromS, endsUntilS, closing } = period;
  const inside = epochEnd >= endsFromS && epochEnd <= endsUntilS;
  const end = inside ? epochEnd : endsUntilS;
  const exact = endsFromS === endsUntilS;
  return compared("times", title, ours, {
    value: `${stamp(startS)} to ${exact || inside ? "" : "at most "}${stamp(end)}`,
    from: !closing
      ? `epoch ${epoch} by FacilityRegistry.termsOf`
      : exact
        ? "closing statement: end of the last epoch to end of the seal, by FacilityRegistry.termsOf"
        : "closing statement of a facility that ended early: end of the last epoch that was over to at most an epoch after its end, by FacilityRegistry.endingOf",
  });
}

/** Whether a statement has no more available or billed than its devices have; the closing statement has nothing. */
export function capacityCheck(statement: Statement, schedule: Schedule): Check {
  const title = titleOf("capacity");
  const { epoch, availableGpuSeconds: available, billedGpuSeconds: billed } = statement;
  const ours = {
    value: `${available} GPU-seconds available, ${billed} billed`,
    from: "statement.json",
  };
  const period = periodOf(schedule, epoch);
  if (period === null) return { id: "capacity", title, state: "unknown", ours };
  const fits = available <= period.capacity && billed <= period.capacity;
  const theirs = {
    value: `at most ${period.capacity}`,
    from: period.closing
      ? "the closing statement has no capacity"
      : `${schedule.deviceCount} devices over ${schedule.epochLengthS} s, by FacilityRegistry.termsOf`,
  };
  return { id: "capacity", title, state: fits ? "equal" : "different", ours, theirs };
}
