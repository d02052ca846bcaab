import { PageHead } from "../../parts/PageHead";

export function Audit() {
  return <PageHead title="Audit" />;
}
