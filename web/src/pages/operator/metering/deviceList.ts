/** Devices that people paste: one a line, cards by name, slices with card and profile. */

import type { Schemas } from "../../../api/client";
import { PROFILE, isSlice, nameFault } from "./deviceName";

/** Most devices of one facility (limit of `POST /v1/facilities`). */
export const MAX_DEVICES = 100_000;

/** A line of `nvidia-smi -L`: the UUID stands in brackets at its end, a slice's profile in front. */
const LISTED = /^\s*(?:GPU|MIG\s+(\S+))\b.*\(UUID:\s*([^)\s]+)\s*\)\s*$/;

/** A device as the service takes it: a whole card by its name, or a slice. */
export type PledgedDevice = Schemas["FacilityIn"]["devices"][number];

export interface DeviceProblem {
  /** Number of the line, from 1. */
  line: number;
  text: string;
  why: string;
}

export interface DeviceList {
  /** Devices in the order given, each once. */
  devices: PledgedDevice[];
  /** Profile of the slices; null for whole cards. */
  profile: string | null;
  problems: DeviceProblem[];
}

interface Entry {
  line: number;
  text: string;
  device: string;
  /** Null for a whole card. */
  card: string | null;
  profile: string | null;
}

/** Entries of lines. A card that `nvidia-smi -L` lists above its slices is their card, and no device. */
function entriesOf(text: string): Entry[] {
  const entries: Entry[] = [];
  let above: Entry | null = null;
  text.split(/\r\n|\r|\n/).forEach((raw, i) => {
    const line = i + 1;
    const listed = LISTED.exec(raw);
    const plain = (listed?.[2] ?? raw).trim().replace(/[,;]$/, "").trim();
    if (plain === "") return;
    if (listed?.[1] !== undefined) {
      if (above !== null && entries.at(-1) === above) entries.pop();
      const card = above?.device ?? "";
      entries.push({ line, text: plain, device: plain, card, profile: listed[1] });
      return;
    }
    const [device = "", card = null, profile = null, ...rest] = plain
      .split(/[,;\t]/)
      .map((part) => part.trim());
    const whole = card === null || rest.length > 0;
    const entry: Entry = whole
      ? { line, text: plain, device: rest.length > 0 ? plain : device, card: null, profile: null }
      : { line, text: plain, device, card, profile: profile ?? "" };
    above = listed !== null ? entry : null;
    entries.push(entry);
  });
  return entries;
}

/** What is wrong with one device by itself; null if nothing. */
function faultOf({ device, card, profile }: Entry): string | null {
  const fault = nameFault(device);
  if (fault !== null) return fault;
  if (card === null)
    return isSlice(device)
      ? "name a slice with its card and profile, MIG-uuid,GPU-uuid,1g.10gb"
      : null;
  if (!isSlice(device) || !card.startsWith("GPU-") || nameFault(card) !== null)
    return nameFault(card) ?? "a slice is MIG-…, its card GPU-…";
  if (device.slice(4) === card.slice(4)) return "the slice has the UUID of its card, not its own";
  return PROFILE.test(profile ?? "")
    ? null
    : "write the profile as nvidia-smi does, such as 1g.10gb";
}

/**
 * Reads a pasted list. Blank lines, a comma at the end and lines of `nvidia-smi -L` are fine. Whole cards and slices,
 * or slices of two profiles, do not stand in one list.
 */
export function parseDevices(text: string): DeviceList {
  const firstLine = new Map<string, number>();
  const problems: DeviceProblem[] = [];
  const devices: PledgedDevice[] = [];
  let kind: string | null | undefined;
  for (const entry of entriesOf(text)) {
    const { line, device, card, profile } = entry;
    const before = firstLine.get(device);
    const fault =
      faultOf(entry) ??
      (before !== undefined ? `the same as line ${before}` : null) ??
      (kind !== undefined && kind !== profile
        ? `a facility has whole cards, or slices of one profile, and before there are ${kind ?? "whole cards"}`
        : null);
    if (fault !== null) {
      problems.push({ line, text: entry.text, why: fault });
      continue;
    }
    kind = profile;
    firstLine.set(device, line);
    devices.push(card === null || profile === null ? device : { device, card, profile });
  }
  return { devices, profile: kind ?? null, problems };
}

/** One sentence about a list, or null if it can be pledged. */
export function deviceListError({ devices, problems }: DeviceList): string | null {
  const first = problems[0];
  if (first !== undefined) {
    const shown = first.text.length > 60 ? `${first.text.slice(0, 60)}…` : first.text;
    const more = problems.length > 1 ? ` ${problems.length - 1} more lines are wrong.` : "";
    return `Line ${first.line}, “${shown}”: ${first.why}.${more}`;
  }
  if (devices.length === 0) return "Name at least one device.";
  if (devices.length > MAX_DEVICES) return "A facility has at most 100,000 devices.";
  return null;
}
