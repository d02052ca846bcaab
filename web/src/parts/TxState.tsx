import { Group, Loader, Text } from "@mantine/core";
import type { Hash } from "viem";
import { useService } from "../api/service";
import { useSentTransactions } from "../chain/pending";
import { TxHash } from "./Hash";
import { Notice } from "./Notice";

/** What became of a transaction that a button of this page sent. */
export function TxState({ hash }: { hash: Hash }) {
  const { chain_id } = useService();
  const sent = useSentTransactions(chain_id).find((t) => t.hash === hash);
  if (sent === undefined) return null;
  const link = <TxHash hash={sent.replacedBy ?? sent.hash} />;
  switch (sent.state) {
    case "pending":
      return (
        <Notice tone="info">
          <Group gap="xs" role="status">
            <Loader size={14} aria-hidden />
            <Text size="sm">
              {sent.label}: sent, waiting for a block. {link}
            </Text>
          </Group>
        </Notice>
      );
    case "success":
    case "repriced":
      return (
        <Notice tone="good">
          <span role="status">
            {sent.label}: done{sent.state === "repriced" ? ", with the raised fee" : ""}. {link}
          </span>
        </Notice>
      );
    case "reverted":
      return (
        <Notice tone="bad" alert>
          {sent.label}: refused by the contract; only gas was spent. {sent.reason} {link}
        </Notice>
      );
    case "cancelled":
      return (
        <Notice tone="warning" alert>
          {sent.label}: cancelled in the wallet. It did not happen. {link}
        </Notice>
      );
    case "replaced":
      return (
        <Notice tone="warning" alert>
          {sent.label}: another transaction took its place. It did not happen. {link}
        </Notice>
      );
  }
}
