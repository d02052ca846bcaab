/** A statement compared with what the registry stores of it. */

import { ZERO32 } from "./bytes";
import { type Check, compared } from "./check";
import { titleOf } from "./epochChecks";
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
    const note = "The registry stores no statement for this epoch: not posted yet, or voided.";
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
