/** `rentroll/verify`: what the web application checks statements and proofs with, for any browser or Node. */

export { type Check, type CheckState, type Side, outcomeOf } from "../verify/check";
export { type EpochSources, checkEpoch } from "../verify/checkEpoch";
export { pathOf, sha256 } from "../verify/evidence";
export { type JudgeSources, type Span, type Verdict, judge } from "../verify/judge";
export { type Line, leafOf } from "../verify/line";
export { type LineSources, lineChecks, statementChecks } from "../verify/lineChecks";
export { parseLines } from "../verify/linesCsv";
export { MerkleTree, rootOfProof, verifyProof } from "../verify/merkle";
export { type PastedRecord, type Place, lineFromJson, recognise } from "../verify/record";
export { type LinesJob, type LinesReport, recompute } from "../verify/recompute";
export { type ChainReader, type RegistryAddresses, chainReader } from "../verify/registry";
export {
  type Statement,
  parseStatement,
  statementDigest,
  statementHash,
} from "../verify/statement";
