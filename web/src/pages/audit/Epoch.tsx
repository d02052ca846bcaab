import { PageHead } from "../../parts/PageHead";

export function Epoch() {
  return <PageHead title="Epoch" />;
}
