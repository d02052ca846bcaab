/** The way the money gets to the sale: a signed permit, or an allowance of exactly the cost. */

import { Button, Stack, Stepper, Text } from "@mantine/core";
import { useState } from "react";
import type { Hash } from "viem";
import { useContractAddress } from "../../../api/service";
import { counted, exactMoney } from "../../../format/money";
import { SendButton } from "../../../parts/SendButton";
import {
  type Order,
  approvalOf,
  buyOf,
  resetOf,
  useNeedsReset,
  usePermitPurchase,
} from "./purchase";
import type { Buyer } from "./sale";

export function Payment({
  order,
  buyer,
  disabled,
  onSent,
}: {
  order: Order;
  buyer: Buyer;
  disabled: boolean;
  onSent: (hash: Hash) => void;
}) {
  const sale = useContractAddress("PrimarySale");
  const [chosen, setChosen] = useState<"permit" | "allowance">("permit");
  const enough = buyer.allowanceMicros >= order.costMicros;
  const name = `Buy ${counted(order.units, "unit")}`;

  if (enough) {
    return (
      <Stack gap="xs">
        <SendButton
          call={buyOf(order, sale)}
          disabled={disabled}
          fullWidth
          withState={false}
          onSent={onSent}
        >
          {name}
        </SendButton>
        <Text size="xs" c="dimmed">
          The sale may take {exactMoney(buyer.allowanceMicros)} {order.token.symbol} already: one
          transaction is left.
        </Text>
      </Stack>
    );
  }
  if (buyer.canPermit && chosen === "permit") {
    return (
      <ByPermit
        order={order}
        disabled={disabled}
        onSent={onSent}
        onAllowance={() => setChosen("allowance")}
      />
    );
  }
  return (
    <Stack gap="sm">
      <Approval order={order} buyer={buyer} disabled={disabled} />
      {buyer.canPermit ? (
        <Button size="compact-xs" variant="subtle" onClick={() => setChosen("permit")}>
          Sign a permit instead
        </Button>
      ) : (
        <Text size="xs" c="dimmed">
          {whyNoPermit(buyer, order.token.symbol)}
        </Text>
      )}
    </Stack>
  );
}

function ByPermit({
  order,
  disabled,
  onSent,
  onAllowance,
}: {
  order: Order;
  disabled: boolean;
  onSent: (hash: Hash) => void;
  onAllowance: () => void;
}) {
  const purchase = usePermitPurchase(useContractAddress("PrimarySale"));
  const exactly = `exactly ${exactMoney(order.costMicros)} ${order.token.symbol}`;
  return (
    <Stack gap="xs">
      <SendButton
        call={() => purchase(order)}
        preparing={`Step 1 of 2: your wallet asks you to sign a permit over ${exactly}. It costs no gas.`}
        disabled={disabled}
        fullWidth
        withState={false}
        onSent={onSent}
      >
        Buy {counted(order.units, "unit")}
      </SendButton>
      <Text size="xs" c="dimmed">
        Your wallet asks twice: for a signature that lets the sale take {exactly} within 20 minutes,
        and for the purchase.{" "}
      </Text>
      <Button size="compact-xs" variant="subtle" onClick={onAllowance}>
        Approve in a transaction instead
      </Button>
    </Stack>
  );
}

/** An allowance of exactly the cost; before it, where the stablecoin wants that, the old one back to zero. */
function Approval({ order, buyer, disabled }: { order: Order; buyer: Buyer; disabled: boolean }) {
  const sale = useContractAddress("PrimarySale");
  const reset = useNeedsReset(order, sale, buyer.allowanceMicros);
  const { symbol } = order.token;
  const cost = `${exactMoney(order.costMicros)} ${symbol}`;
  return (
    <>
      <Stepper active={0} size="xs" orientation="vertical">
        {reset === true && (
          <Stepper.Step
            label="Reset"
            description={`Set the old allowance of ${exactMoney(buyer.allowanceMicros)} ${symbol} to zero`}
          />
        )}
        <Stepper.Step label="Approve" description={`Let the sale take exactly ${cost}, no more`} />
        <Stepper.Step label="Buy" description="Pay and receive the units at once" />
      </Stepper>
      {reset === true ? (
        <>
          <SendButton key="reset" call={resetOf(order, sale)} disabled={disabled} fullWidth>
            Reset the allowance
          </SendButton>
          <Text size="xs" c="dimmed">
            The sale may still take {exactMoney(buyer.allowanceMicros)} {symbol} of an earlier
            approval. {symbol} refuses to change it to another amount: it has to be zero in between.
          </Text>
        </>
      ) : (
        <SendButton
          key="approve"
          call={approvalOf(order, sale)}
          disabled={disabled || reset === null}
          fullWidth
        >
          Approve {cost}
        </SendButton>
      )}
    </>
  );
}

/** Why the approval is a transaction of its own. */
function whyNoPermit({ kind }: Buyer, symbol: string): string {
  switch (kind) {
    case "contract":
      return "This account is a contract, which cannot sign permits: it approves in a transaction of its own.";
    case "delegated":
      return "This account uses code that its key chose (EIP-7702). Some stablecoins then refuse permits signed by the key: it approves in a transaction of its own, which always counts.";
    case "key":
      return `${symbol} knows no permits (ERC-2612): the approval is a transaction of its own.`;
  }
}
