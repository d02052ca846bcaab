/** Compares a statement, and a line with its proof, with what the contracts store. */

import type { Hex } from "viem";
import { bytesOf, hexOf } from "./bytes";
import { type Check, compared, unknown } from "./check";
import { pathOf } from "./evidence";
import { type Line, leafOf } from "./line";
import { rootOfProof } from "./merkle";
import type { Place } from "./record";
import type { ChainReader } from "./registry";
import { type Statement, parseStatement, statementHash } from "./statement";

/** What statement checks need: the chain, and files of evidence. */
export interface LineSources {
  chain: ChainReader;
  chainName: string;
  /** A file below the evidence root. Rejects where there is none. */
  evidence: (path: string) => Promise<Uint8Array>;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The statement of a place, if the chain stores its hash; `given` is its text where somebody gave one. */
export async function statementChecks(
  sources: LineSources,
  place: Place,
  given: string | null,
): Promise<{ statement: Statement | null; checks: Check[] }> {
  const title = "Statement hash";
  try {
    const from =
      given === null ? "statement.json as the service publishes it" : "the statement you gave";
    const source =
      given ??
      text(await sources.evidence(pathOf(place.facilityId, place.epoch, "statement.json")));
    const { statement } = parseStatement(source);
    const stored = await sources.chain.stored(place.facilityId, place.epoch);
    const ours = { value: statementHash(statement), from: `EIP-712 hash of ${from}` };
    if (stored.statementHash === null) {
      const note = "The registry stores no statement of this number: not posted yet, or voided.";
      return {
        statement: null,
        checks: [{ id: "statement", title, state: "unknown", ours, note }],
      };
    }
    const theirs = {
      value: stored.statementHash,
      from: `StatementRegistry.statementOf, block ${stored.block}, read through ${sources.chainName}`,
    };
    const check = compared("statement", title, ours, theirs);
    return { statement: check.state === "equal" ? statement : null, checks: [check] };
  } catch (error) {
    return { statement: null, checks: [unknown("statement", title, error)] };
  }
}

/** A line with its proof against the statement that the chain confirms, and the contract's own answer. */
export async function lineChecks(
  sources: LineSources,
  place: Place,
  line: Line,
  proof: readonly Hex[],
  saidLeaf: Hex | null,
): Promise<Check[]> {
  const { statement, checks } = await statementChecks(sources, place, null);
  const leaf = leafOf(place.facilityId, place.epoch, line);
  if (saidLeaf !== null) {
    checks.push(
      compared(
        "leaf",
        "Leaf",
        { value: hexOf(leaf), from: "hash of the line, made here" },
        { value: saidLeaf, from: "leaf that the record names" },
      ),
    );
  }
  if (statement === null) {
    const note = "There is no statement that the chain confirms to compare with.";
    return [
      ...checks,
      { id: "root", title: "Root that the line leads to", state: "unknown", note },
    ];
  }
  const nodes = proof.map((node) => bytesOf(node, 32));
  checks.push(
    compared(
      "root",
      "Root that the line leads to",
      {
        value: hexOf(rootOfProof(leaf, nodes)),
        from: `line and ${nodes.length} proof hashes, made here`,
      },
      {
        value: statement.usageRoot,
        from: "usage_root of the statement whose hash the chain stores",
      },
    ),
  );
  const title = "The contract's own answer";
  try {
    const answer = await sources.chain.verifyLine(statement, line, proof);
    checks.push(
      compared(
        "contract",
        title,
        { value: "true", from: "what a line of the statement gives" },
        { value: String(answer), from: "StatementRegistry.verifyLine" },
      ),
    );
  } catch (error) {
    checks.push(unknown("contract", title, error));
  }
  return checks;
}
