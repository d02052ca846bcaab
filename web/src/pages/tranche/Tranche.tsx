import { useParams } from "react-router";
import { PageHead } from "../../parts/PageHead";
import { Buy } from "./Buy";

export function Tranche() {
  const { tokenId = "0" } = useParams();
  return (
    <>
      <PageHead title={`Tranche ${tokenId}`} />
      <div style={{ maxWidth: 420 }}>
        <Buy tokenId={tokenId} />
      </div>
    </>
  );
}
