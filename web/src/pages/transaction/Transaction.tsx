import { PageHead } from "../../parts/PageHead";

export function Transaction() {
  return <PageHead title="Transaction" />;
}
