import { PageHead } from "../../parts/PageHead";

export function LineProof() {
  return <PageHead title="LineProof" />;
}
