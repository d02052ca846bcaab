import { Button, Group, Text } from "@mantine/core";
import { useConnection, useSwitchChain } from "wagmi";
import { useService } from "../api/service";
import { sentenceOf } from "../chain/refusals";
import { Notice } from "./Notice";

/** Shown while the wallet is on another chain: one button adds ours to the wallet if need be, and switches. */
export function NetworkBanner() {
  const { isConnected, chainId } = useConnection();
  const { chain_id, chain_name } = useService();
  const { mutate: switchChain, isPending, error } = useSwitchChain();
  if (!isConnected || chainId === chain_id) return null;
  return (
    <Notice tone="warning" alert>
      <Group justify="space-between" gap="sm">
        <Text size="sm">
          Your wallet is on chain {chainId}; Rentroll is on {chain_name} (chain {chain_id}).
          {error !== null && ` ${sentenceOf(error).sentence}`}
        </Text>
        <Button size="xs" loading={isPending} onClick={() => switchChain({ chainId: chain_id })}>
          Switch to {chain_name}
        </Button>
      </Group>
    </Notice>
  );
}
