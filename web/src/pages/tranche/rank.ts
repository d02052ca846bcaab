/** Place in the waterfall in words: `paid first of 2`. */
export function rankOf(seniority: number, count: number): string {
  if (count === 1) return "the only one";
  if (seniority === 0) return `paid first of ${count}`;
  return seniority === count - 1
    ? `paid last of ${count}`
    : `paid as no. ${seniority + 1} of ${count}`;
}
