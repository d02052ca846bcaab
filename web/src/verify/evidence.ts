/** Evidence files: SHA-256, the manifest that binds them, and the terms of a facility. */

import { sha256 as sha256Here } from "@noble/hashes/sha2";
import type { Hex } from "viem";
import { hexOf } from "./bytes";
import { hash32, integer, objectOf, parseJson } from "./json";

/** SHA-256 by WebCrypto; pages without a secure context (plain http) have none, and compute it here. */
export async function sha256(bytes: Uint8Array): Promise<Hex> {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  if (subtle === undefined) return hexOf(sha256Here(bytes));
  return hexOf(new Uint8Array(await subtle.digest("SHA-256", bytes as BufferSource)));
}

/** Format of a whole folder of evidence. */
export const FORMAT = "rentroll-evidence-5";

export interface ManifestFile {
  name: string;
  bytes: number;
  sha256: Hex;
}

export interface Manifest {
  facilityId: bigint;
  epoch: number;
  files: ManifestFile[];
}

/** Files that every manifest names; facility.json lies one folder up. */
export const COMMITTED_FILES = [
  "facility.json",
  "batches.jsonl",
  "facts.jsonl",
  "terms.jsonl",
  "lines.csv",
  "credits.csv",
  "state.jsonl",
] as const;

/** Raises Error. */
export function parseManifest(text: string): Manifest {
  const found = objectOf(parseJson(text), "manifest.json");
  if (found["format"] !== FORMAT) throw new Error("the manifest is of another format");
  if (!Array.isArray(found["files"])) throw new Error("the manifest names no files");
  const files = found["files"].map((entry: unknown): ManifestFile => {
    const file = objectOf(entry, "a file of the manifest");
    const digest = file["sha256"];
    if (
      typeof file["name"] !== "string" ||
      typeof digest !== "string" ||
      !/^[0-9a-f]{64}$/.test(digest)
    ) {
      throw new Error("a file of the manifest has no name or no SHA-256");
    }
    return { name: file["name"], bytes: Number(integer(file, "bytes", 53)), sha256: `0x${digest}` };
  });
  return {
    facilityId: integer(found, "facility_id", 64),
    epoch: Number(integer(found, "epoch", 32)),
    files,
  };
}

/** Folder of an epoch below the evidence root. */
export function epochFolder(facilityId: bigint | number | string, epoch: number): string {
  return `facility-${facilityId}/epoch-${String(epoch).padStart(5, "0")}`;
}

/** Path of a file of a manifest below the evidence root. */
export function pathOf(facilityId: bigint | number | string, epoch: number, name: string): string {
  return name === "facility.json"
    ? `facility-${facilityId}/facility.json`
    : `${epochFolder(facilityId, epoch)}/${name}`;
}

export interface Facility {
  facilityId: bigint;
  devices: Hex[];
  /** The card of each device; a whole card is its own. */
  cards: Hex[];
  windowStartS: bigint;
  windowEndS: bigint;
  /** End of the seal: until then facts of the window are stated. */
  sealedAtS: bigint;
  epochLengthS: bigint;
}

/** What lines are held against, of facility.json. Raises Error. */
export function parseFacility(text: string): Facility {
  const found = objectOf(parseJson(text), "facility.json");
  if (!Array.isArray(found["devices"])) throw new Error("facility.json names no devices");
  const pledge = found["devices"].map((entry: unknown) => {
    if (typeof entry === "string") return { device: entry, card: entry };
    return objectOf(entry, "a slice of facility.json");
  });
  const devices = pledge.map((entry) => hash32(entry, "device"));
  const cards = pledge.map((entry) => hash32(entry, "card"));
  const epochLengthS = integer(found, "epoch_length_s", 32);
  if (epochLengthS === 0n) throw new Error("facility.json has epochs of no length");
  const windowEndS = integer(found, "window_end_s", 64);
  return {
    facilityId: integer(found, "facility_id", 64),
    devices,
    cards,
    windowStartS: integer(found, "window_start_s", 64),
    windowEndS,
    sealedAtS: windowEndS + integer(found, "seal_s", 32),
    epochLengthS,
  };
}

export interface Attestation {
  attester: Hex;
  signature: Hex;
}

/** Raises Error. */
export function parseAttestations(text: string): Attestation[] {
  const found = parseJson(text);
  if (!Array.isArray(found)) throw new Error("attestations.json is not a list");
  return found.map((entry: unknown) => {
    const { attester, signature } = objectOf(entry, "an attestation");
    if (
      typeof attester !== "string" ||
      !/^0x[0-9a-fA-F]{40}$/.test(attester) ||
      typeof signature !== "string" ||
      !/^0x([0-9a-fA-F]{2})+$/.test(signature)
    ) {
      throw new Error("an attestation has no address or no signature");
    }
    return { attester: attester as Hex, signature: signature as Hex };
  });
}
