import { SegmentedControl, Stack, Text } from "@mantine/core";
import { useService } from "../../api/service";
import { Hash } from "../../parts/Hash";
import type { Reader, Via } from "./reader";

/** Which node answers for the chain, and which registry is asked: what a comparison rests on. */
export function ReaderChoice({ reader }: { reader: Reader }) {
  const { contracts, rpc_url } = useService();
  return (
    <Stack gap={6}>
      {reader.walletOffered && (
        <SegmentedControl
          size="xs"
          aria-label="Read the chain through"
          style={{ alignSelf: "flex-start" }}
          value={reader.via}
          onChange={(value) => reader.choose(value as Via)}
          data={[
            { value: "node", label: "Node of this service" },
            { value: "wallet", label: "My wallet's node" },
          ]}
        />
      )}
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        The chain is read through {reader.via === "wallet" ? "your wallet" : rpc_url}, not through
        Rentroll's API. It asks the StatementRegistry{" "}
        <Hash value={contracts.StatementRegistry ?? "none"} /> whose address the service gave:
        compare it with one from a source that you trust.
        {!reader.walletOffered &&
          " Connect a wallet on this chain to read through its node instead."}
      </Text>
    </Stack>
  );
}
