import { Anchor, Stack, Text } from "@mantine/core";
import { Suspense, lazy } from "react";
import { Link, useParams } from "react-router";
import { ApiProblem } from "../../api/client";
import { Account } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Status } from "../../parts/Status";
import { span } from "../../format/time";
import { nameInFacility } from "../../format/tranche";
import { Contents } from "./Contents";
import { Delivered } from "./revenue/Delivered";
import { Documents } from "./Documents";
import { EndingPart } from "./EndingPart";
import { Earnings } from "./revenue/Earnings";
import { Headline } from "./Headline";
import { Holders } from "./Holders";
import { Risk } from "./Risk";
import { Siblings } from "./Siblings";
import { Statements } from "./Statements";
import { Terms } from "./Terms";
import classes from "./Tranche.module.css";
import { Waterfall } from "./revenue/Waterfall";
import { type Tranche as TrancheData, useFacility, useTranche } from "./queries";

const Buy = lazy(async () => ({ default: (await import("./buy/Buy")).Buy }));

/** One tranche: its terms, its risks, and what became of its rent, each figure with who says it. */
export function Tranche() {
  const { tokenId = "" } = useParams();
  const query = useTranche(tokenId);
  if (query.data === undefined && isUnknown(query.error)) return <NoTranche tokenId={tokenId} />;
  return (
    <Loaded query={query} lines={12}>
      {(tranche) => <Found key={tokenId} tranche={tranche} />}
    </Loaded>
  );
}

function Found({ tranche }: { tranche: TrancheData }) {
  const { token_id: tokenId } = tranche;
  return (
    <Stack gap="lg">
      <PageHead
        title={nameInFacility(tranche)}
        status={
          <>
            <Status state={tranche.state} />
            <Unapproved tranche={tranche} />
          </>
        }
        about={
          <>
            {tranche.gpu_class} in {tranche.site}, run by{" "}
            <Account address={tranche.operator.address} name={tranche.operator.name} copy={false} />
            , delivered {span(tranche.window_start_s, tranche.window_end_s)}.
          </>
        }
      />
      <Siblings tranche={tranche} />
      <div className={classes.layout}>
        <aside className={classes.aside} aria-label="Buy">
          <Suspense>
            <Buy tokenId={tokenId} />
          </Suspense>
          <Contents />
        </aside>
        <Stack gap="xl" miw={0} className={classes.body}>
          <Headline tranche={tranche} />
          <Terms tranche={tranche} />
          <Risk tranche={tranche} />
          <EndingPart tranche={tranche} />
          <Earnings tokenId={tokenId} />
          <Waterfall tranche={tranche} />
          <Delivered tokenId={tokenId} />
          <Statements tranche={tranche} />
          <Holders tokenId={tokenId} />
          <Documents tranche={tranche} />
        </Stack>
      </div>
    </Stack>
  );
}

/** Beside the state of an offer: that attesters have not approved its devices. */
function Unapproved({ tranche: { facility_id, state } }: { tranche: TrancheData }) {
  const { data } = useFacility(facility_id);
  if (state !== "offered" || data?.pledge.approved_at !== null) return null;
  return (
    <Status state="" tone="warning">
      Devices not approved yet
    </Status>
  );
}

/** The service knows none: by its id, or because no id looks like this. */
function isUnknown(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 404 || error.status === 422);
}

function NoTranche({ tokenId }: { tokenId: string }) {
  return (
    <Stack>
      <PageHead title="There is no such tranche" />
      <Text style={{ overflowWrap: "anywhere" }}>
        No facility that is indexed here has a tranche with the id {tokenId.slice(0, 40)}. The
        address may be mistyped, or belong to another chain.{" "}
        <Anchor component={Link} to="/">
          Go to the market
        </Anchor>
        .
      </Text>
    </Stack>
  );
}
