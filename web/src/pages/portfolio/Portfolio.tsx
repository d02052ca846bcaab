import { PageHead } from "../../parts/PageHead";

export function Portfolio() {
  return <PageHead title="Portfolio" />;
}
