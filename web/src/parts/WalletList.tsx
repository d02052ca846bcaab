import { Anchor, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useConnect, useConnectors } from "wagmi";
import { sentenceOf } from "../chain/refusals";
import { Notice } from "./Notice";

/** The list of wallets that this browser has; loaded when somebody asks for it. */
export function WalletList({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Connect a wallet"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Wallets onDone={onClose} />
    </Modal>
  );
}

function Wallets({ onDone }: { onDone: () => void }) {
  const connectors = useConnectors();
  const { mutate: connect, isPending, error, variables } = useConnect();
  // Wallets that announce themselves; the bare `window.ethereum` only where none does.
  const announced = connectors.filter((c) => c.type === "injected" && c.id !== "injected");
  const bare = typeof (window as { ethereum?: unknown }).ethereum !== "undefined";
  const shown =
    announced.length > 0 ? announced : bare ? connectors.filter((c) => c.id === "injected") : [];

  if (shown.length === 0) {
    return (
      <Stack gap="xs">
        <Text>No wallet was found in this browser.</Text>
        <Text size="sm" c="dimmed">
          Install a wallet that speaks to pages (EIP-1193), such as MetaMask, Rabby or Frame, or
          open this page in the browser of your wallet's app. Everything can be read without one; a{" "}
          <Anchor underline="always" href="/portfolio">
            portfolio
          </Anchor>{" "}
          by its address, too.
        </Text>
      </Stack>
    );
  }
  return (
    <Stack gap="xs">
      {shown.map((connector) => (
        <Button
          key={connector.uid}
          variant="default"
          size="md"
          justify="flex-start"
          loading={isPending && variables.connector === connector}
          onClick={() => connect({ connector }, { onSuccess: onDone })}
          leftSection={
            connector.icon?.startsWith("data:image/") ? (
              <img src={connector.icon} alt="" width={22} height={22} />
            ) : undefined
          }
        >
          {connector.name === "Injected" ? "Wallet of this browser" : connector.name}
        </Button>
      ))}
      {error !== null && (
        <Notice tone="warning" alert>
          {sentenceOf(error).sentence}
        </Notice>
      )}
      <Group>
        <Text size="xs" c="dimmed">
          Connecting shows your address to this page. It moves nothing: each transaction is asked
          for by itself.
        </Text>
      </Group>
    </Stack>
  );
}
