import { useQuery } from "@tanstack/react-query";
import type { Hex } from "viem";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { type Check, outcomeOf } from "../../verify/check";
import { lineChecks } from "../../verify/lineChecks";
import { lineFromJson } from "../../verify/record";
import { CheckRows } from "./CheckRows";
import { ReaderChoice } from "./ReaderChoice";
import { type Proof, evidenceBytes } from "./queries";
import { useReader } from "./reader";

/** One line checked here and by the contract. */
export function LineChecks({
  proof,
  facilityId,
  epoch,
}: {
  proof: Proof;
  facilityId: number;
  epoch: number;
}) {
  const reader = useReader();
  const query = useQuery({
    queryKey: ["chain", "line", reader.via, facilityId, epoch, proof],
    queryFn: () => {
      if (reader.chain === null) throw new Error("nothing is deployed");
      const sources = { chain: reader.chain, chainName: reader.name, evidence: evidenceBytes };
      const place = { facilityId: BigInt(facilityId), epoch };
      const nodes = proof.proof as Hex[];
      return lineChecks(sources, place, lineFromJson(proof.line), nodes, proof.leaf as Hex);
    },
    enabled: reader.chain !== null,
    refetchInterval: 15_000,
  });
  return (
    <Section
      title="Checked in your browser"
      about="The leaf and the path are hashed here; the root is the one of the statement whose hash the contract stores; then the contract is asked itself."
    >
      <ReaderChoice reader={reader} />
      {reader.chain === null ? (
        <Notice tone="warning">Nothing is deployed: there is no contract to compare with.</Notice>
      ) : (
        <Loaded query={query}>{(checks) => <Outcome checks={checks} />}</Loaded>
      )}
    </Section>
  );
}

function Outcome({ checks }: { checks: Check[] }) {
  const outcome = outcomeOf(checks);
  return (
    <>
      {outcome === "equal" && (
        <Notice tone="good">
          This line stands in the statement whose hash the contract stores: leaf, path and the
          contract's own answer agree.
        </Notice>
      )}
      {outcome === "different" && (
        <Notice tone="bad" alert>
          This line is not proven: see which comparison differs.
        </Notice>
      )}
      {outcome === "unknown" && (
        <Notice tone="warning">Not everything could be compared; nothing that was differs.</Notice>
      )}
      <CheckRows checks={checks} label="Comparisons of this line" />
    </>
  );
}
