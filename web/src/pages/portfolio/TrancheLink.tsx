import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { partsOfTokenId } from "../../format/text";
import { trancheName } from "../../format/tranche";

/** A tranche by its name; by the numbers in its id where the name is not at hand. */
export function TrancheLink({ tokenId, name }: { tokenId: string; name?: string | undefined }) {
  const { facilityId, seniority } = partsOfTokenId(tokenId);
  return (
    <Anchor component={Link} to={`/tranches/${tokenId}`} inherit style={{ whiteSpace: "nowrap" }}>
      {name ?? `Facility ${facilityId}, ${trancheName(seniority)}`}
    </Anchor>
  );
}
