import { Button, Group, Text } from "@mantine/core";
import { useConnection } from "wagmi";
import { Account } from "../../../parts/Hash";
import { Failure } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { SignInButton } from "./SignIn";
import { type Session, sameAccount, useSignOut } from "./session";

/** Who is signed in, and the way out; a warning while the wallet has another account. */
export function SessionBar({ session }: { session: Session }) {
  const { address } = useConnection();
  const signOut = useSignOut();
  const other = address !== undefined && !sameAccount(address, session.address);
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Group gap={6}>
          <Text size="sm" component="span" c="dimmed">
            Signed in as
          </Text>
          <Text size="sm" component="span" fw={600} style={{ overflowWrap: "anywhere" }}>
            {session.operator_name ?? "no operator"}
          </Text>
          <Text size="sm" component="span">
            <Account address={session.address} />
          </Text>
        </Group>
        <Button
          variant="default"
          size="xs"
          loading={signOut.isPending}
          onClick={() => signOut.mutate()}
        >
          Sign out
        </Button>
      </Group>
      {signOut.isError && <Failure error={signOut.error} />}
      {other && (
        <Notice tone="warning">
          <Group justify="space-between" gap="sm">
            <Text size="sm">
              Your wallet is connected with <Account address={address} />, another account than the
              one that is signed in. You can read on; to send transactions, connect the account that
              is signed in, or sign in with this one.
            </Text>
            <SignInButton>Sign in with the connected account</SignInButton>
          </Group>
        </Notice>
      )}
    </>
  );
}
