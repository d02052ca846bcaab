import { PageHead } from "../../parts/PageHead";

export function Docs() {
  return <PageHead title="Docs" />;
}
