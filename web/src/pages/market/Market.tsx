import { PageHead } from "../../parts/PageHead";

export function Market() {
  return <PageHead title="Market" />;
}
