/** Shortened names of long things. */

/** `0x1234…cdef`. */
export function short(hex: string, head = 6, tail = 4): string {
  return hex.length <= head + tail + 1 ? hex : `${hex.slice(0, head)}…${hex.slice(-tail)}`;
}

/** `Facility 7, tranche 0` parts of an ERC-1155 id: `id = facilityId << 8 | seniority`. */
export function partsOfTokenId(tokenId: string): { facilityId: string; seniority: number } {
  const id = BigInt(tokenId);
  return { facilityId: (id >> 8n).toString(), seniority: Number(id & 0xffn) };
}

/** First letter in upper case, `_` as space. */
export function sentenceCase(word: string): string {
  const spaced = word.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
