/** Place of the card with which units are bought. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars
export function Buy(_: { tokenId: string }) {
  return null;
}
