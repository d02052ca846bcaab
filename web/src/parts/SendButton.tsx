import { Button, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import type { Hash } from "viem";
import { useConnection } from "wagmi";
import { type Sendable, useSend } from "../chain/send";
import { useService } from "../api/service";
import { Notice } from "./Notice";
import { TxState } from "./TxState";
import { ConnectButton } from "./ConnectButton";

/** A button that sends one transaction, with every state of it below: checked, in the wallet, sent, mined, refused. */
export function SendButton({
  call,
  children,
  disabled = false,
  onSent,
  preparing,
  withState = true,
  variant = "filled",
  danger = false,
  fullWidth = false,
}: {
  /** The call, or what makes it when the button is pressed, such as a signature. */
  call: Sendable | null;
  children: ReactNode;
  disabled?: boolean;
  onSent?: (hash: Hash) => void;
  /** What happens before the transaction, if that asks something of a person: such as a signature. */
  preparing?: string;
  /** False where the page itself shows what became of the transaction, as when this button goes away with it. */
  withState?: boolean;
  variant?: "filled" | "default";
  /** For what cannot be undone. */
  danger?: boolean;
  fullWidth?: boolean;
}) {
  const { isConnected } = useConnection();
  const { step, refusal, hash, send } = useSend();
  const { chain_name } = useService();
  if (!isConnected) return <ConnectButton fullWidth={fullWidth} />;

  const press = async () => {
    if (call === null) return;
    const sent = await send(call);
    if (sent !== null) onSent?.(sent);
  };
  const busy = step === "preparing" || step === "checking" || step === "wallet";
  return (
    <Stack gap="xs" align={fullWidth ? "stretch" : "flex-start"}>
      <Button
        variant={variant}
        {...(danger && { color: "red.9" })}
        fullWidth={fullWidth}
        disabled={disabled || call === null}
        loading={step === "preparing" || step === "checking"}
        aria-busy={busy}
        onClick={() => {
          // Pressed again while the wallet asks, it would ask twice.
          if (!busy) void press();
        }}
      >
        {step === "wallet" ? "Confirm in your wallet…" : children}
      </Button>
      {step === "preparing" && preparing !== undefined && (
        <Notice tone="info">
          <span role="status">{preparing}</span>
        </Notice>
      )}
      {step === "wallet" && (
        <Notice tone="info">
          <span role="status">Your wallet asks you to confirm on {chain_name}.</span>
        </Notice>
      )}
      {refusal !== null && (
        <Notice tone={refusal.name === "Declined" ? "warning" : "bad"} alert>
          {refusal.sentence}
        </Notice>
      )}
      {withState && hash !== null && <TxState hash={hash} />}
    </Stack>
  );
}
