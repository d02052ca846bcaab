import { Anchor, Button, Group, List, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { type SentTransaction, forget } from "../../chain/pending";
import { short } from "../../format/text";
import { TxHash } from "../../parts/Hash";
import { Notice } from "../../parts/Notice";
import type { TransactionOnChain } from "./queries";

/** How long a node may take to learn of a transaction before that is worth a word. */
const PATIENCE_MS = 30_000;

/** What this browser knows beyond the chain: what it sent, and what was mined in its place. */
export function SentNote({
  hash,
  sent,
  transaction,
}: {
  hash: string;
  sent: SentTransaction | null;
  transaction: TransactionOnChain;
}) {
  if (sent === null) return null;
  const other = sent.replacedBy;
  if (other === hash && sent.hash !== hash) {
    return (
      <Notice tone={sent.state === "repriced" ? "good" : "warning"}>
        {sent.state === "repriced"
          ? "It was sent again with a raised fee: this is what was mined in place of "
          : "It was mined in place of what you sent first, "}
        <TxHash hash={sent.hash} />.
      </Notice>
    );
  }
  switch (sent.state) {
    case "repriced":
      return (
        <Notice tone="good">
          Sped up: the same call was mined with a raised fee as{" "}
          {other === null ? "another transaction" : <TxHash hash={other} />}.
        </Notice>
      );
    case "cancelled":
      return (
        <Notice tone="warning">
          Cancelled in the wallet: it did not happen, and never will.
          {other !== null && (
            <>
              {" "}
              Its number was spent by <TxHash hash={other} />.
            </>
          )}
        </Notice>
      );
    case "replaced":
      return (
        <Notice tone="warning">
          Replaced: another transaction of {short(sent.from)} took its number, so it did not happen
          and never will.
          {other !== null && (
            <>
              {" "}
              Mined in its place: <TxHash hash={other} />.
            </>
          )}
        </Notice>
      );
    case "pending":
      return transaction.found === null ? <Unseen sent={sent} /> : null;
    default:
      return null;
  }
}

function Unseen({ sent }: { sent: SentTransaction }) {
  const go = useNavigate();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const left = sent.sentAtMs + PATIENCE_MS - Date.now();
    const timer = setTimeout(() => setLate(true), Math.max(0, left));
    return () => clearTimeout(timer);
  }, [sent.sentAtMs]);
  if (sent.fromContract !== true && !late) {
    return <Notice tone="info">Your wallet sent it; the node has not seen it yet.</Notice>;
  }
  return (
    <Notice tone="warning">
      <Stack gap="xs" align="flex-start">
        <Text size="sm" fw={600}>
          {sent.fromContract === true
            ? "It may wait for the signatures of other owners"
            : "The node still does not know it"}
        </Text>
        <Text size="sm">
          {sent.fromContract === true
            ? "The sending account is a contract, such as a multisig. What your wallet returned is then the number of a proposal, not of a transaction."
            : "Either the sending wallet waits for other owners' signatures (a multisig), or the transaction was dropped before any node passed it on."}
        </Text>
        <List size="sm" spacing={2}>
          <List.Item>Open the wallet and look whether it waits for signatures.</List.Item>
          <List.Item>
            Once all have signed and it is executed, the chain shows it under another hash: its
            effect is in the{" "}
            <Anchor component={Link} to={`/portfolio/${sent.from}`} inherit underline="always">
              portfolio
            </Anchor>
            .
          </List.Item>
          <List.Item>If the wallet does not list it any more, it can be sent again.</List.Item>
        </List>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              forget(sent.hash);
              void go(`/portfolio/${sent.from}`);
            }}
          >
            Stop following it
          </Button>
        </Group>
      </Stack>
    </Notice>
  );
}
