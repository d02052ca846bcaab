/** Checks everything that is published of one statement against itself and against the contracts. */

import type { Address } from "viem";
import { recomputeInBackground } from "./background";
import { hexOf, sameHex } from "./bytes";
import { type Check, compared, sentence, unknown } from "./check";
import { EPOCH_CHECKS, titleOf } from "./epochChecks";
import { parseAttestations, parseFacility, parseManifest, pathOf, sha256 } from "./evidence";
import { pledgeRoot } from "./pledge";
import { linesChecks } from "./linesChecks";
import { seatsNote } from "./panels";
import type { ChainReader, FacilityOnChain, StoredStatement } from "./registry";
import { type Statement, parseStatement, statementDigest } from "./statement";
import { capacityCheck, previousCheck, statementCheck, timesCheck } from "./storedChecks";

export interface EpochSources {
  /** A file below the evidence root. Rejects where there is none. */
  evidence: (path: string) => Promise<Uint8Array>;
  chain: ChainReader;
  registry: Address;
  /** How the chain is read, in words. */
  chainName: string;
}

const text = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

class EpochCheck {
  constructor(
    private readonly sources: EpochSources,
    private readonly facilityId: bigint,
    private readonly epoch: number,
    private readonly onCheck: (check: Check) => void,
    private readonly signal: AbortSignal,
  ) {}

  private read(name: string): Promise<Uint8Array> {
    return this.sources.evidence(pathOf(this.facilityId, this.epoch, name));
  }

  private report(check: Check): void {
    if (!this.signal.aborted) this.onCheck(check);
  }

  /** One or more checks that end unknown together where something cannot be read. */
  private async part(ids: readonly string[], work: () => Promise<readonly Check[]>): Promise<void> {
    for (const id of ids) this.report({ id, title: titleOf(id), state: "running" });
    try {
      for (const check of await work()) this.report(check);
    } catch (error) {
      for (const id of ids) this.report(unknown(id, titleOf(id), error));
    }
  }

  async run(): Promise<void> {
    const statement = this.read("statement.json").then((b) => parseStatement(text(b)).statement);
    const stored = this.sources.chain.stored(this.facilityId, this.epoch);
    const facility = this.read("facility.json");
    const known = this.known();
    // Each is awaited inside parts; without this a failure before that would be an unhandled rejection.
    for (const promise of [statement, stored, facility, known]) promise.catch(() => undefined);
    await Promise.all([
      this.part(["statement"], async () => [
        statementCheck(
          await statement,
          await stored,
          { facilityId: this.facilityId, epoch: this.epoch },
          this.sources.chainName,
        ),
      ]),
      this.part(["previous"], async () => [
        previousCheck(await statement, await stored, this.epoch),
      ]),
      this.part(["times", "capacity"], async () => {
        const { schedule } = await known;
        return [timesCheck(await statement, schedule), capacityCheck(await statement, schedule)];
      }),
      this.part(["signers"], async () => [await this.ofSigners(await statement, await stored)]),
      this.part(["evidence", "files"], async () => this.ofFiles(await statement, await facility)),
      this.part(["terms", "pledge"], async () => this.ofFacility(await facility, await known)),
    ]);
    if (!this.signal.aborted) await this.ofLines(statement, facility);
  }

  private async ofSigners(statement: Statement, stored: StoredStatement): Promise<Check> {
    const title = titleOf("signers");
    const given = parseAttestations(text(await this.read("attestations.json")));
    const { recoverAddress } = await import("viem");
    const hash = statementDigest(
      statement,
      await this.sources.chain.chainId(),
      this.sources.registry,
    );
    const recovered = await Promise.all(
      given.map(async ({ attester, signature }) => {
        const by = await recoverAddress({ hash, signature }).catch(() => null);
        return by !== null && sameHex(by, attester) ? by : null;
      }),
    );
    if (stored.statementHash === null)
      throw new Error("The registry names no signers: nothing is posted.");
    const good = new Set(recovered.filter((a) => a !== null).map((a) => a.toLowerCase()));
    const missing = stored.signers.filter((a) => !good.has(a.toLowerCase()));
    const ours: Check["ours"] = {
      value: `${stored.signers.length - missing.length} of ${stored.signers.length} recovered`,
      from: "attestations.json, each signature recovered over the digest of statement.json",
    };
    const theirs = {
      value: `${stored.signers.length} of ${stored.signers.length} recovered`,
      from: `signers that StatementRegistry.signersOf names, block ${stored.block}; panel ${stored.panel.number} needs ${stored.panel.threshold} of ${stored.panel.attesters.length}`,
    };
    if (missing.length === 0) {
      const seats = seatsNote(stored.panel, stored.signers);
      const check = compared("signers", title, ours, theirs);
      return seats === null ? check : { ...check, note: seats };
    }
    // A contract's signature (ERC-1271) recovers to nothing; only the contract itself can say yes. One over a batch
    // recovers under the batch's root alone.
    const note = `No signature here recovers to ${missing.join(", ")}: contract wallets, and signatures over a batch of statements, are not checked here.`;
    return { id: "signers", title, state: "unknown", ours, theirs, note };
  }

  private async ofFiles(statement: Statement, facility: Uint8Array): Promise<Check[]> {
    const bytes = await this.read("manifest.json");
    const whole = compared(
      "evidence",
      titleOf("evidence"),
      { value: await sha256(bytes), from: "SHA-256 of manifest.json" },
      { value: statement.evidenceHash, from: "evidence_hash of the statement" },
    );
    const manifest = parseManifest(text(bytes));
    const wrong: string[] = [];
    for (const file of manifest.files) {
      const data = file.name === "facility.json" ? facility : await this.read(file.name);
      const digest = await sha256(data);
      if (digest !== file.sha256)
        wrong.push(`${file.name} has ${digest}, the manifest says ${file.sha256}`);
    }
    const all = manifest.files.length;
    const files: Check = {
      id: "files",
      title: titleOf("files"),
      state: wrong.length === 0 ? "equal" : "different",
      ours: { value: `${all - wrong.length} of ${all} equal`, from: "SHA-256 of each file" },
      theirs: { value: `${all} files`, from: "manifest.json" },
      ...(wrong.length > 0 && { note: wrong.join("; ") }),
    };
    return [whole, files];
  }

  private async known(): Promise<FacilityOnChain> {
    const known = await this.sources.chain.facility(this.facilityId);
    if (known === null) throw new Error("The chain knows no such facility.");
    return known;
  }

  private async ofFacility(bytes: Uint8Array, known: FacilityOnChain): Promise<Check[]> {
    const { facilityId, devices, cards } = parseFacility(text(bytes));
    return [
      compared(
        "terms",
        titleOf("terms"),
        { value: await sha256(bytes), from: "SHA-256 of facility.json" },
        { value: known.termsHash, from: "termsHash of FacilityRegistry.termsOf" },
      ),
      compared(
        "pledge",
        titleOf("pledge"),
        {
          value: hexOf(pledgeRoot(facilityId, devices, cards)),
          from: `root over ${devices.length} devices of facility.json`,
        },
        { value: known.pledgeRoot, from: "pledgeRoot of FacilityRegistry.termsOf" },
      ),
    ];
  }

  private async ofLines(found: Promise<Statement>, facility: Promise<Uint8Array>): Promise<void> {
    const ids = EPOCH_CHECKS.slice(EPOCH_CHECKS.findIndex((c) => c.id === "count")).map(
      (c) => c.id,
    );
    await this.part(ids, async () => {
      const statement = await found;
      const terms = await facility.then((b) => parseFacility(text(b))).catch(() => null);
      const csv = text(await this.read("lines.csv"));
      const report = await recomputeInBackground(
        {
          facilityId: statement.facilityId,
          bounds: {
            epoch: statement.epoch,
            startS: statement.epochStart,
            endS: statement.epochEnd,
          },
          text: csv,
          facility: terms,
        },
        (share) => this.report({ id: "root", title: titleOf("root"), state: "running", share }),
        this.signal,
      ).catch((error: unknown) => sentence(error));
      return linesChecks(
        ids.map((id) => ({ id, title: titleOf(id) })),
        statement,
        report,
        terms !== null,
      );
    });
  }
}

/** Runs all checks and tells each as it starts, moves and ends. */
export function checkEpoch(
  sources: EpochSources,
  facilityId: bigint,
  epoch: number,
  onCheck: (check: Check) => void,
  signal: AbortSignal,
): Promise<void> {
  return new EpochCheck(sources, facilityId, epoch, onCheck, signal).run();
}
