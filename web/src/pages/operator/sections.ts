/** Sections of a facility's page, by their name in the address. */

import { useSearchParams } from "react-router";

export const SECTIONS = [
  { id: "launch", name: "Launch" },
  { id: "devices", name: "Devices" },
  { id: "events", name: "Events" },
  { id: "rejections", name: "Rejected events" },
  { id: "log", name: "Log and keys" },
  { id: "leases", name: "Leases" },
  { id: "epochs", name: "Epochs" },
  { id: "rent", name: "Rent" },
  { id: "bills", name: "Bills" },
  { id: "bond", name: "Bond" },
  { id: "proceeds", name: "Proceeds" },
  { id: "ending", name: "Default and end" },
] as const;

export type Section = (typeof SECTIONS)[number]["id"];

/** Address of a section. */
export function sectionPath(facilityId: number, section: Section): string {
  return `/operator/${facilityId}?section=${section}`;
}

/** The section that the address names; without one, what the facility's state makes most useful. */
export function useSection(state: string | undefined): Section {
  const [params] = useSearchParams();
  const wanted = params.get("section");
  const found = SECTIONS.find((s) => s.id === wanted);
  if (found !== undefined) return found.id;
  return state === "registered" || state === "offered" ? "launch" : "devices";
}

/** Place in a long list, kept in the address. */
export function useOffset(): [number, (offset: number) => void] {
  const [params, setParams] = useSearchParams();
  const found = Number(params.get("offset") ?? 0);
  const offset = Number.isSafeInteger(found) && found > 0 ? found : 0;
  const set = (next: number) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      if (next === 0) after.delete("offset");
      else after.set("offset", String(next));
      return after;
    });
  return [offset, set];
}
