import type { ReactNode } from "react";
import type { Tone } from "./Status";

/** Something to know before going on. `alert` interrupts screen readers; others are read in their place. */
export function Notice({
  tone,
  alert = false,
  children,
}: {
  tone: Exclude<Tone, "quiet">;
  alert?: boolean;
  children: ReactNode;
}) {
  return (
    <div className="notice" data-tone={tone} role={alert ? "alert" : undefined}>
      <div>{children}</div>
    </div>
  );
}
