import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link, Navigate, useParams } from "react-router";
import { type Address, isAddress } from "viem";
import { useConnection } from "wagmi";
import { parseAccount } from "../../chain/account";
import { ConnectButton } from "../../parts/ConnectButton";
import { Empty } from "../../parts/Empty";
import { Hash } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { Act } from "./Act";
import { Endings } from "./Endings";
import { EligibilityNote } from "./EligibilityNote";
import { History } from "./History";
import { LookUp } from "./LookUp";
import { Positions } from "./Positions";
import { Refunds } from "./Refunds";
import { Totals } from "./Totals";
import { Vouchers } from "./Vouchers";
import { WalletNotice } from "./WalletNotice";
import { useLive, usePortfolio } from "./queries";

/** Any account's units and revenue; of the connected one also what it can do with them. */
export function Portfolio() {
  const { address: asked } = useParams();
  const { address: own } = useConnection();
  if (asked === undefined) {
    if (own !== undefined) return <Navigate to={`/portfolio/${own}`} replace />;
    return <Nobody />;
  }
  const account = parseAccount(asked) ?? (isAddress(asked, { strict: false }) ? asked : null);
  if (account === null) {
    return (
      <Stack>
        <PageHead title="Portfolio" />
        <Notice tone="bad" alert>
          This is no address of an account.
        </Notice>
        <LookUp />
      </Stack>
    );
  }
  // A page of another account begins anew: nothing typed or sent is carried over.
  return <Of key={account} account={account} own={own?.toLowerCase() === account.toLowerCase()} />;
}

function Nobody() {
  return (
    <Stack gap="lg">
      <PageHead
        title="Portfolio"
        about="Units, revenue and history of any account. All of it is public; nothing here needs a wallet."
      />
      <LookUp />
      <Empty title="No account chosen">
        <Stack gap="sm" align="center">
          Enter an address above, or connect a wallet to see your own.
          <ConnectButton />
        </Stack>
      </Empty>
    </Stack>
  );
}

function Of({ account, own }: { account: Address; own: boolean }) {
  const query = usePortfolio(account);
  const live = useLive(account, query.data?.positions.map((p) => p.token_id) ?? []);
  return (
    <Stack gap="xl">
      <PageHead
        title={own ? "Your portfolio" : "Portfolio"}
        about={<Hash value={account} whole />}
        status={own ? <Status state="connected" tone="good" /> : undefined}
      />
      {!own && <LookUp />}
      <EligibilityNote account={account} own={own} />
      <Loaded query={query} lines={8}>
        {(data) => (
          <Stack gap="xl">
            <WalletNotice wallet={data.wallet} own={own} />
            <Totals data={data} live={live.data} own={own} account={account} />
            <Refunds data={data} own={own} account={account} />
            <Section
              title="Positions"
              about={
                live.data === undefined
                  ? "As of the newest indexed block."
                  : "Units, claimable and streaming revenue are read from the chain every few seconds."
              }
            >
              {data.positions.length === 0 ? (
                <Empty title="No positions">
                  {own ? "You hold" : "This account holds"} no units and never did. Units are bought
                  in a primary sale or received from another holder: see the{" "}
                  <Anchor component={Link} to="/" underline="always">
                    market
                  </Anchor>
                  .
                </Empty>
              ) : (
                <Positions rows={data.positions} live={live.data} />
              )}
            </Section>
            <Endings rows={data.positions} />
            {own && data.positions.length > 0 && (
              <Act account={account} rows={data.positions} live={live.data} />
            )}
            {data.vouchers.length > 0 && (
              <Vouchers account={account} own={own} rows={data.vouchers} />
            )}
          </Stack>
        )}
      </Loaded>
      <History account={account} />
      {own && (
        <Group>
          <Text size="xs" c="dimmed">
            Transfers, deliveries and claims are signed by your wallet. Rentroll never holds your
            units or keys.
          </Text>
        </Group>
      )}
    </Stack>
  );
}
