import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, lazy, useState } from "react";

const WalletList = lazy(async () => ({ default: (await import("./WalletList")).WalletList }));

/** Opens the list of wallets that this browser has. */
export function ConnectButton({
  fullWidth = false,
  size = "sm",
}: {
  fullWidth?: boolean;
  size?: "xs" | "sm";
}) {
  const [opened, { open, close }] = useDisclosure(false);
  const [asked, setAsked] = useState(false);
  const press = () => {
    setAsked(true);
    open();
  };
  return (
    <>
      <Button onClick={press} fullWidth={fullWidth} size={size}>
        Connect wallet
      </Button>
      {asked && (
        <Suspense>
          <WalletList opened={opened} onClose={close} />
        </Suspense>
      )}
    </>
  );
}
