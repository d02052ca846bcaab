/** Words about attesters. */

import { counted, grouped } from "./money";

/** How many of how many must sign: `2 of 3 attesters`. */
export function quorum(threshold: number, seats: number): string {
  return `${grouped(threshold)} of ${counted(seats, "attester")}`;
}

/**
 * An address of the web that a stranger wrote; null for one that is no `https` or `http` address, or holds a password,
 * behind which the host could hide.
 */
export function webAddress(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, username, password, href } = new URL(text);
  const web = protocol === "https:" || protocol === "http:";
  return web && username === "" && password === "" ? href : null;
}
