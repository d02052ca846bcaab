/** Nonce of styles that scripts add; the server writes it into the page for this answer alone. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
}
