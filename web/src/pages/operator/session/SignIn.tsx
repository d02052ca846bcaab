import { Button, List, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useConnection, useSwitchChain } from "wagmi";
import { ApiProblem } from "../../../api/client";
import { useService } from "../../../api/service";
import { sentenceOf, wasDeclined } from "../../../chain/refusals";
import { ConnectButton } from "../../../parts/ConnectButton";
import { Account } from "../../../parts/Hash";
import { Notice } from "../../../parts/Notice";
import { PageHead } from "../../../parts/PageHead";
import { useSignIn } from "./session";

/** Before sign-in: what the console is for, and the one step that opens it. */
export function SignIn({ ended }: { ended: boolean }) {
  return (
    <>
      <PageHead
        title="Operator console"
        about="For companies that run GPUs and sell their capacity by the hour."
      />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Stack gap="sm">
          <Title order={2} size="h4">
            What you do here
          </Title>
          <List spacing="xs" pr="md">
            <List.Item>
              <b>See what needs doing first:</b> missing metering, late rent, a bond that is too
              small.
            </List.Item>
            <List.Item>
              <b>Offer a facility:</b> pledge devices for a delivery window, cut it into tranches,
              mint units or open a sale.
            </List.Item>
            <List.Item>
              <b>Watch the metering of each device:</b> last record, lag, gaps, duplicates, and why
              an event was rejected.
            </List.Item>
            <List.Item>
              <b>Follow the money:</b> leases and prices, epochs from open to settled, rent due and
              paid, proceeds to withdraw.
            </List.Item>
          </List>
          <Text size="sm" c="dimmed">
            Investors and auditors need none of this: market, portfolios and audit are open to
            everybody.
          </Text>
        </Stack>
        <SignInCard ended={ended} />
      </SimpleGrid>
    </>
  );
}

function SignInCard({ ended }: { ended: boolean }) {
  const { address, isConnected, chainId } = useConnection();
  const { chain_id, chain_name } = useService();
  const wrongNetwork = isConnected && chainId !== chain_id;
  return (
    <Stack
      className="surface"
      p="lg"
      gap="sm"
      component="section"
      aria-labelledby="sign-in"
      style={{ alignSelf: "start" }}
    >
      <Title order={2} size="h4" id="sign-in">
        Sign in with Ethereum
      </Title>
      {ended && (
        <Notice tone="warning">
          <span role="status">Your session ended. Sign in again to go on where you were.</span>
        </Notice>
      )}
      {address === undefined ? (
        <>
          <Text size="sm">
            Connect the wallet that is registered as your operator account. Key and contract wallets
            both work.
          </Text>
          <ConnectButton fullWidth />
        </>
      ) : (
        <>
          <Text size="sm">
            Sign a message with <Account address={address} /> to prove that it is yours. It is no
            transaction: it moves nothing and costs nothing.
          </Text>
          {wrongNetwork ? <SwitchFirst name={chain_name} id={chain_id} /> : <SignInButton />}
        </>
      )}
      <Text size="xs" c="dimmed">
        A session lasts 12 hours in this browser and can do all that API keys of yours can do, and
        make them. Transactions are asked for in the wallet, one by one.
      </Text>
    </Stack>
  );
}

function SwitchFirst({ name, id }: { name: string; id: number }) {
  const { mutate: switchChain, isPending, error } = useSwitchChain();
  return (
    <>
      <Text size="sm">Your wallet is on another network. The message names {name}.</Text>
      <Button loading={isPending} onClick={() => switchChain({ chainId: id })}>
        Switch to {name} first
      </Button>
      {error !== null && (
        <Notice tone="warning" alert>
          {sentenceOf(error).sentence}
        </Notice>
      )}
    </>
  );
}

/** Asks the wallet for the signature; every way that it can end has its sentence. */
export function SignInButton({ children = "Sign in" }: { children?: string }) {
  const { mutate: signIn, isPending, error } = useSignIn();
  return (
    <Stack gap="xs">
      <Button onClick={() => signIn()} disabled={isPending} aria-busy={isPending}>
        {isPending ? "Confirm in your wallet…" : children}
      </Button>
      {error !== null && (
        <Notice tone={wasDeclined(error) ? "warning" : "bad"} alert>
          {signInSentence(error)}
        </Notice>
      )}
    </Stack>
  );
}

const SENTENCES: Record<string, string> = {
  siwe_nonce_unknown: "The message was signed too late. Sign in again.",
  siwe_expired: "The message was signed too late. Sign in again.",
  siwe_signature_wrong:
    "The signature is not of this account. A contract wallet must be deployed on this network and its owners must have approved the message.",
  siwe_domain_wrong: "This page is not where the service expects sign-ins.",
  siwe_uri_wrong: "This page is not where the service expects sign-ins.",
  csrf_refused: "This page is not where the service expects sign-ins.",
};

function signInSentence(error: unknown): string {
  if (wasDeclined(error)) return "You declined in the wallet. You are not signed in.";
  if (error instanceof ApiProblem) return SENTENCES[error.code] ?? `${error.message}.`;
  return sentenceOf(error).sentence;
}
