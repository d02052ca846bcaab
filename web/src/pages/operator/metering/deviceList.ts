/** Devices that people paste: one a line, by NVML UUID. */

/** Most devices of one facility (limit of `POST /v1/facilities`). */
export const MAX_DEVICES = 100_000;

// api/domain/metering/events.py has the same rule. Lower-case hex only: two spellings of one UUID would be two devices.
const UUID = /^(?:GPU|MIG)-(?:GPU-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\/\d{1,3}){0,2}$/;
/** A line of `nvidia-smi -L`: the UUID stands in brackets at its end. */
const LISTED = /^\s*(?:GPU|MIG)\b.*\(UUID:\s*([^)\s]+)\s*\)\s*$/;

export interface DeviceProblem {
  /** Number of the line, from 1. */
  line: number;
  text: string;
  why: string;
}

export interface DeviceList {
  /** UUIDs in the order given, each once. */
  devices: string[];
  problems: DeviceProblem[];
}

function faultOf(uuid: string): string {
  return new RegExp(UUID, "i").test(uuid)
    ? "write the hex digits in lower case, as NVML does"
    : "not an NVML UUID such as GPU-… or MIG-…";
}

/** Reads a pasted list. Blank lines, a comma at the end and lines of `nvidia-smi -L` are fine. */
export function parseDevices(text: string): DeviceList {
  const firstLine = new Map<string, number>();
  const problems: DeviceProblem[] = [];
  text.split(/\r\n|\r|\n/).forEach((raw, i) => {
    const line = i + 1;
    const uuid = (LISTED.exec(raw)?.[1] ?? raw).trim().replace(/[,;]$/, "").trim();
    if (uuid === "") return;
    const before = firstLine.get(uuid);
    if (!UUID.test(uuid)) problems.push({ line, text: uuid, why: faultOf(uuid) });
    else if (before !== undefined)
      problems.push({ line, text: uuid, why: `the same as line ${before}` });
    else firstLine.set(uuid, line);
  });
  return { devices: [...firstLine.keys()], problems };
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
