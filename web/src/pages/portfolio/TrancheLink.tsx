import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { partsOfTokenId } from "../../format/text";

/** A tranche by the numbers in its id, where its name is not at hand. */
export function TrancheLink({ tokenId }: { tokenId: string }) {
  const { facilityId, seniority } = partsOfTokenId(tokenId);
  return (
    <Anchor component={Link} to={`/tranches/${tokenId}`} inherit>
      Facility {facilityId}, tranche {seniority}
    </Anchor>
  );
}
