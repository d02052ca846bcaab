/** Names of devices: one canonical name a card or slice. api/domain/devices.py has the same forms, tests/vectors/devices.json holds both. */

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
// amd-smi: the digits 3 and 4 are those of a partition; ff is the whole card.
const OF_AMD = /^([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{4}-0000-1000-80[0-9a-f]{2}-[0-9a-f]{12})$/;
const OF_TPU = /[1-9][0-9]{14,19}-(?:0|[1-9][0-9]{0,2})/;
const OF_GAUDI = /[0-9A-Z]{4}-HL[0-9]{4}[A-Z][0-9]-[0-9]{2}-[0-9A-Z]{6}-[0-9]{2}-[0-9]{2}-[0-9]{2}/;
const NVIDIA = new RegExp(`^(?:GPU|MIG)-(${UUID})$`);
const OTHERS = new RegExp(`^(?:TPU-${OF_TPU.source}|GAUDI-${OF_GAUDI.source})$`);
/** Other spellings that are met. */
const SPELT = new RegExp(`^((?:gpu-|mig-|amd-)*)(${UUID})((?:/[0-9]*)*)$`);
/** NVIDIA's profiles of slices. */
export const PROFILE = /^[12347]g\.[1-9][0-9]{0,2}gb(?:\+me|\+me\.all|\+gfx|-me)?$/;

export function isSlice(name: string): boolean {
  return name.startsWith("MIG-");
}

/** What to write in place of a name; null for one that is canonical. Placeholders are the service's to refuse. */
export function nameFault(name: string): string | null {
  const nvidia = NVIDIA.exec(name)?.[1];
  if (nvidia !== undefined && !OF_AMD.test(nvidia)) return null;
  if (name.startsWith("AMD-") && OF_AMD.exec(name.slice(4))?.[2] === "ff") return null;
  return OTHERS.test(name) ? null : advice(name);
}

function advice(name: string): string {
  const text = name
    .trim()
    .replace(/^[{}"',;]+|[{}"',;]+$/g, "")
    .toLowerCase();
  const spelt = SPELT.exec(text);
  if (spelt !== null) return adviceOnUuid(spelt[1] ?? "", spelt[2] ?? "", spelt[3] !== "");
  if (/^(?:gpu-|amd-)?(?:0x)?[0-9a-f]{16}$/.test(text))
    return "write AMD-<uuid>, the UUID that amd-smi list prints";
  const gaudi = OF_GAUDI.exec(text.toUpperCase());
  if (gaudi !== null) return `write GAUDI-${gaudi[0]}`;
  const tpu = OF_TPU.exec(text);
  if (tpu !== null || /accel|vfio|tpu/.test(text))
    return `write TPU-${tpu?.[0] ?? "<machine>-<chip>"}, the accelerator_id of its metrics`;
  return "write GPU-<uuid> for a card of NVIDIA, MIG-<uuid> for a slice of one, AMD-<uuid>, TPU-<machine>-<chip> or GAUDI-<uuid>, hex digits in lower case";
}

function adviceOnUuid(prefixes: string, uuid: string, indexed: boolean): string {
  const amd = OF_AMD.exec(uuid);
  if (amd !== null) {
    const part = amd[2] === "ff" ? "" : ": partitions are not pledged, and this is their card";
    return `write AMD-${amd[1] ?? ""}ff${amd[3] ?? ""}${part}`;
  }
  if (prefixes.includes("mig-") && prefixes.includes("gpu-"))
    return `write MIG-<uuid>, with the UUID that nvidia-smi -L prints for the slice; GPU-${uuid} is its card`;
  if (prefixes.includes("mig-")) return `write MIG-${uuid}`;
  if (indexed)
    return `write GPU-${uuid} for the card; a slice is MIG-<uuid>, with a UUID of its own`;
  if (prefixes.includes("gpu-")) return `write GPU-${uuid}`;
  return `write GPU-${uuid} for a card, MIG-${uuid} for a slice`;
}
