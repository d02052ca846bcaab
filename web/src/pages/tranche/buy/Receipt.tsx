/** What was bought, in place of the form: nothing is bought twice by accident. */

import { Button, Group, Stack, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import type { Hash } from "viem";
import { useService } from "../../../api/service";
import { type TxState as SentState, useSentTransactions } from "../../../chain/pending";
import { counted, exactMoney } from "../../../format/money";
import { Fact, Facts } from "../../../parts/Facts";
import { TxState } from "../../../parts/TxState";

/** A purchase as it was sent. */
export interface Purchase {
  hash: Hash;
  units: bigint;
  costMicros: bigint;
  account: string;
}

const DID_NOT_HAPPEN: ReadonlySet<SentState> = new Set(["reverted", "cancelled", "replaced"]);

export function Receipt({
  purchase,
  symbol,
  onAgain,
}: {
  purchase: Purchase;
  symbol: string;
  /** Back to the form. */
  onAgain: () => void;
}) {
  const { chain_id } = useService();
  const state = useSentTransactions(chain_id).find((t) => t.hash === purchase.hash)?.state;
  const failed = state !== undefined && DID_NOT_HAPPEN.has(state);
  const frame = useRef<HTMLDivElement>(null);
  // The form that was here is gone: who reads by ear or scrolled away is brought to what replaced it.
  useEffect(() => frame.current?.focus(), []);
  return (
    <Stack ref={frame} tabIndex={-1} role="group" aria-label="Receipt" gap="sm">
      <Facts>
        <Fact name="Units" strong>
          {counted(purchase.units, "unit")}
        </Fact>
        <Fact name={failed ? "Not paid" : state === "pending" ? "To be paid" : "Paid"} strong>
          {exactMoney(purchase.costMicros)} {symbol}
        </Fact>
      </Facts>
      <TxState hash={purchase.hash} />
      {!failed && (
        <Text size="sm">
          {state === "pending"
            ? "The units are in your portfolio as soon as it is mined."
            : "The units are in your portfolio."}
        </Text>
      )}
      <Group gap="xs">
        {!failed && (
          <Button component={Link} to={`/portfolio/${purchase.account}`}>
            Go to the portfolio
          </Button>
        )}
        <Button variant="default" onClick={onAgain} disabled={state === "pending"}>
          {failed ? "Try again" : "Buy more"}
        </Button>
      </Group>
    </Stack>
  );
}
