import { PageHead } from "../../parts/PageHead";

export function Operator() {
  return <PageHead title="Operator" />;
}
