/** Times as text: UTC everywhere, because epochs and windows are. */

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-26`. */
export function date(seconds: number): string {
  const d = new Date(seconds * 1_000);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}

/** `2026-11-26 10:15 UTC`. */
export function instant(seconds: number): string {
  const d = new Date(seconds * 1_000);
  return `${date(seconds)} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())} UTC`;
}

/** From a time to another: two dates, or one with its hours: `2026-11-26, 13:54 – 14:54 UTC`. */
export function span(from: number, to: number): string {
  if (date(from) !== date(to)) return `${date(from)} – ${date(to)}`;
  return `${date(from)}, ${instant(from).slice(11, 16)} – ${instant(to).slice(11)}`;
}

/** The two largest parts of a duration: `3 d 4 h`, `45 s`. */
export function duration(seconds: number): string {
  const parts: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const shown: string[] = [];
  let left = Math.max(0, Math.floor(seconds));
  for (const [size, name] of parts) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) shown.push(`${count} ${name}`);
    else if (shown.length > 0) break;
    if (shown.length === 2) break;
  }
  return shown.length > 0 ? shown.join(" ") : "0 s";
}

/** `in 3 h 5 min` or `2 d ago`, seen from `now`. */
export function relative(seconds: number, now: number): string {
  const away = seconds - now;
  if (Math.abs(away) < 1) return "now";
  return away > 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
}
