import type { ReactNode } from "react";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { type ChainFacts, useChainFacts } from "../chainFacts";

/** What the chain says of a facility; before it is offered, `none` as the title of a hint. */
export function Offered({
  facilityId,
  none,
  lines = 4,
  children,
}: {
  facilityId: number;
  none: string;
  lines?: number;
  children: (facts: ChainFacts) => ReactNode;
}) {
  const query = useChainFacts(facilityId);
  return (
    <Loaded query={query} lines={lines}>
      {(facts) =>
        facts === null ? (
          <Empty title={none}>Offer the facility on-chain first.</Empty>
        ) : (
          children(facts)
        )
      }
    </Loaded>
  );
}
