import { Stack, Text } from "@mantine/core";
import { formatEther } from "viem";
import { useService } from "../../api/service";
import { grouped } from "../../format/money";
import { Figure, Figures } from "../../parts/Figure";
import { Instant } from "../../parts/Instant";
import { Notice } from "../../parts/Notice";
import { Status } from "../../parts/Status";
import { Unknown } from "../../parts/Unknown";
import type { TransactionOnChain } from "./queries";
import { stateOf } from "./state";

/** State in words, and block, time and fee. */
export function Outcome({ transaction }: { transaction: TransactionOnChain }) {
  const { confirmations, native_symbol } = useService();
  const { mined } = transaction;
  const state = stateOf(transaction, confirmations);
  return (
    <Stack gap="md">
      <Text component="div" role="status">
        <Status state={state.word} tone={state.tone} />{" "}
        <Text span size="sm">
          {state.sentence}
        </Text>
      </Text>
      {mined !== null && mined.why !== null && (
        <Notice tone="bad">
          <Text size="sm" fw={600}>
            Why it reverted
          </Text>
          <Text size="sm">{mined.why.sentence}</Text>
        </Notice>
      )}
      {transaction.found !== null && (
        <Figures>
          <Figure
            name="Block"
            value={mined === null ? <Unknown /> : grouped(mined.block)}
            about={
              mined === null ? "Not in a block yet" : `${grouped(mined.confirmations)} on top of it`
            }
          />
          <Figure name="Time" value={<Instant seconds={mined?.timeS} />} />
          <Figure
            name="Fee paid"
            value={
              mined === null ? <Unknown /> : <Coin wei={mined.feeWei} symbol={native_symbol} />
            }
            about={mined === null ? undefined : `${grouped(mined.gasUsed)} gas`}
            source="Gas used times the price per gas of its block, paid by the sender in the chain's own coin."
          />
          <Figure
            name="Nonce"
            value={grouped(transaction.found.nonce)}
            source="Number of the transaction at its sender: they are mined in this order, each number once."
          />
        </Figures>
      )}
    </Stack>
  );
}

/** An amount of the chain's own coin, cut to 9 decimals; the last digit shows on pointing at it. */
function Coin({ wei, symbol }: { wei: bigint; symbol: string }) {
  const whole = formatEther(wei);
  return (
    <span title={`${whole} ${symbol}`}>
      {whole.replace(/(\.\d{9})\d+$/, "$1")} {symbol}
    </span>
  );
}
