/** What is not known: blank to the eye, a word for screen readers. Never 0. */
export function Unknown() {
  return <span className="visually-hidden">not known</span>;
}
