import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import { Empty } from "../../../parts/Empty";
import { Account } from "../../../parts/Hash";
import { PageHead } from "../../../parts/PageHead";
import type { Session } from "./session";

/** Signed in, but the address is not registered as an operator's. */
export function NotOperator({ session }: { session: Session }) {
  return (
    <>
      <PageHead title="Operator console" />
      <Empty title="This account is not an operator's">
        <Text size="sm">
          <Account address={session.address} /> proved its key, but no operator is registered with
          it. Operators are registered by whoever runs this service: send them this address and the
          name of your company. If your company uses another account, connect that one and sign in
          again.
        </Text>
        <Text size="sm" mt="xs">
          Investors find their units in the{" "}
          <Anchor component={Link} to={`/portfolio/${session.address}`} inherit underline="always">
            portfolio
          </Anchor>
          .
        </Text>
      </Empty>
    </>
  );
}
