/** Names of the checks of an epoch. */

/** Checks in the order in which they are shown, with what each compares. */
export const EPOCH_CHECKS: readonly { id: string; title: string }[] = [
  { id: "statement", title: "Statement hash" },
  { id: "previous", title: "Hash of the statement before" },
  { id: "times", title: "Time of the statement" },
  { id: "capacity", title: "Capacity" },
  { id: "signers", title: "Signatures of attesters" },
  { id: "evidence", title: "Evidence hash" },
  { id: "files", title: "Files of the manifest" },
  { id: "terms", title: "Terms of the facility" },
  { id: "pledge", title: "Pledged devices" },
  { id: "count", title: "Number of lines" },
  { id: "root", title: "Root over all lines" },
  { id: "gpuSeconds", title: "Billed GPU-seconds" },
  { id: "charge", title: "Gross revenue" },
  { id: "order", title: "Order of lines" },
  { id: "sums", title: "Prefix sums" },
  { id: "contents", title: "Rules of single lines" },
  { id: "overlap", title: "No device twice at one time" },
  { id: "devices", title: "Devices of lines are pledged" },
];

/** Name of a check. */
export const titleOf = (id: string): string => EPOCH_CHECKS.find((c) => c.id === id)?.title ?? id;
