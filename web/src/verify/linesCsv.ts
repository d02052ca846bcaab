/** lines.csv as `api/domain/statements/evidence.py` writes it: integers and 0x-hex, LF line ends, nothing else. */

import type { Hex } from "viem";
import { KINDS, type Line } from "./line";

export const LINES_HEADER =
  "index,kind,subject,lease,start_s,end_s,gpu_seconds,charge_micros," +
  "cumulative_gpu_seconds,cumulative_charge_micros";

const UINT = "(0|[1-9]\\d{0,38})";
const INT = "(0|-?[1-9]\\d{0,38})";
const HASH = "(0x[0-9a-f]{64})";
const ROW = new RegExp(`^${[UINT, UINT, HASH, HASH, UINT, UINT, UINT, INT, UINT, INT].join(",")}$`);

/** One row. `row` is its number in the file, for the message. Raises Error. */
export function parseRow(text: string, row: number): Line {
  const cells = ROW.exec(text);
  if (cells === null)
    throw new Error(`row ${row} of lines.csv is not a line: "${text.slice(0, 60)}"`);
  const cell = (i: number): string => cells[i] ?? "";
  const index = Number(cell(1));
  const kind = Number(cell(2));
  if (index > 0xffff_ffff || kind > 255)
    throw new Error(`row ${row}: index or kind is beyond its type`);
  return {
    index,
    kind,
    subject: cell(3) as Hex,
    lease: cell(4) as Hex,
    startS: BigInt(cell(5)),
    endS: BigInt(cell(6)),
    gpuSeconds: BigInt(cell(7)),
    chargeMicros: BigInt(cell(8)),
    cumulativeGpuSeconds: BigInt(cell(9)),
    cumulativeChargeMicros: BigInt(cell(10)),
  };
}

/** Rows of the file without its header. Raises Error where the header is another or the last LF is missing. */
export function rowsOf(text: string): string[] {
  const rows = text.split("\n");
  if (rows[0] !== LINES_HEADER) throw new Error("lines.csv does not begin with its header");
  if (rows[rows.length - 1] !== "") throw new Error("lines.csv does not end with a line feed");
  return rows.slice(1, -1);
}

/** All lines of the file. Raises Error that names the row. */
export function parseLines(text: string): Line[] {
  return rowsOf(text).map((row, i) => parseRow(row, i + 2));
}

/** Number of a kind's name; null if there is no such kind. */
export function kindNumber(name: unknown): number | null {
  if (typeof name === "number") return name;
  const found = (KINDS as readonly unknown[]).indexOf(name);
  return found < 0 ? null : found;
}
