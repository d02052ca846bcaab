/** Devices of a file as lines of the offer's list. */

import type { DeviceFile } from "./fileQueries";

/** A card a line by its name, or a slice with card and profile. */
export function deviceLines({ devices }: DeviceFile): string {
  return devices
    .map(({ device, card, profile }) =>
      profile === null ? device : `${device},${card},${profile}`,
    )
    .join("\n");
}
