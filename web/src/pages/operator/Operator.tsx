/** Operator console: what the console is for and sign-in, then overview, offering, keys, or one facility. */

import { Stack } from "@mantine/core";
import { useParams, useSearchParams } from "react-router";
import { Loaded } from "../../parts/Loaded";
import { NotFound } from "../../parts/NotFound";
import { NotOperator } from "./session/NotOperator";
import { FacilityPage } from "./FacilityPage";
import { KeysPage } from "./keys/KeysPage";
import { OfferPage } from "./launch/OfferPage";
import { Overview } from "./Overview";
import { SessionBar } from "./session/SessionBar";
import { SignIn } from "./session/SignIn";
import { type Session, useSession } from "./session/session";

export function Operator() {
  const query = useSession();
  return (
    <Loaded query={query} lines={6}>
      {({ session, ended }) =>
        session === null ? <SignIn ended={ended} /> : <Console session={session} />
      }
    </Loaded>
  );
}

function Console({ session }: { session: Session }) {
  const { facilityId } = useParams();
  const [params] = useSearchParams();
  const bar = <SessionBar session={session} />;
  if (session.operator_id === null) {
    return (
      <Stack gap="lg">
        {bar}
        <NotOperator session={session} />
      </Stack>
    );
  }
  if (facilityId !== undefined && !/^[1-9]\d{0,15}$/.test(facilityId)) return <NotFound />;
  return (
    <Stack gap="lg">
      {bar}
      {facilityId !== undefined ? (
        <FacilityPage facilityId={Number(facilityId)} />
      ) : params.has("offer") ? (
        <OfferPage />
      ) : params.has("keys") ? (
        <KeysPage />
      ) : (
        <Overview />
      )}
    </Stack>
  );
}
