import { Stack, Text } from "@mantine/core";
import type { ComponentProps } from "react";
import type { Address } from "viem";
import { useConnection } from "wagmi";
import { Account } from "../../../parts/Hash";
import { SendButton } from "../../../parts/SendButton";
import { sameAccount } from "../session/session";

/** A SendButton for what the contract takes from the facility's operator alone. */
export function OwnSend({
  gpuOperator,
  ...button
}: ComponentProps<typeof SendButton> & { gpuOperator: Address | string }) {
  const { address } = useConnection();
  if (address !== undefined && !sameAccount(address, gpuOperator)) {
    return (
      <Text size="sm" c="dimmed">
        Only <Account address={gpuOperator} /> can send this: connect that account in your wallet.
      </Text>
    );
  }
  return (
    <Stack align="flex-start" gap={0}>
      <SendButton {...button} />
    </Stack>
  );
}
