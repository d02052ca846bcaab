import { PageHead } from "../../parts/PageHead";

export function Tranche() {
  return <PageHead title="Tranche" />;
}
