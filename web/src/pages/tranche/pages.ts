/** Window of an ascending list that shows the newest first: what to ask for the page that begins `offset` rows from the end. */
export function fromTheEnd(
  total: number,
  offset: number,
  limit: number,
): { offset: number; limit: number } {
  const end = Math.max(0, total - offset);
  const start = Math.max(0, end - limit);
  return { offset: start, limit: end - start };
}
