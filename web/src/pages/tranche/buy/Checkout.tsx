/** Units, cost and payment for the connected wallet. */

import { Button, Stack, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useConnection } from "wagmi";
import { counted, exactMoney, grouped, parseUnits } from "../../../format/money";
import { Fact, Facts } from "../../../parts/Facts";
import { Notice } from "../../../parts/Notice";
import { Next } from "./Next";
import { Outlook, OutlookFacts } from "./Outlook";
import type { Purchase } from "./Receipt";
import { type Sale, mostUnits, problemWithUnits, unapproved, useBuyer } from "./sale";

export function Checkout({
  tokenId,
  sale,
  phase,
  again,
  onBought,
}: {
  tokenId: string;
  sale: Sale;
  phase: "early" | "open" | "paused";
  /** Whether something was bought just now: then nothing is filled in, and the field is where one goes on. */
  again: boolean;
  onBought: (purchase: Purchase) => void;
}) {
  const { address } = useConnection();
  const buyer = useBuyer(address, tokenId, sale.token.address);
  const [text, setText] = useState(again ? "" : "1");

  const units = parseUnits(text);
  const balance = buyer.data?.balanceMicros ?? null;
  const problem = problemWithUnits(units, sale, balance);
  const cost = units === null ? null : units * sale.priceMicros;
  const { symbol } = sale.token;
  const pending = unapproved(sale);

  return (
    <Stack gap="md">
      <UnitsField
        sale={sale}
        balanceMicros={balance}
        text={text}
        problem={text.trim() === "" ? null : problem}
        focused={again}
        onChange={setText}
      />
      <Facts>
        <Fact name="You pay" strong>
          {cost === null ? "" : `${exactMoney(cost)} ${symbol}`}
        </Fact>
        <Fact name="You receive" strong>
          {units === null ? "" : counted(units, "unit")}
        </Fact>
        <OutlookFacts deal={sale.deal} units={units} symbol={symbol} />
        {buyer.data !== undefined && buyer.data.units > 0n && (
          <Fact name="You hold already">{counted(buyer.data.units, "unit")}</Fact>
        )}
      </Facts>
      <Outlook deal={sale.deal} units={units} symbol={symbol} />
      {pending !== null && <Notice tone="warning">{pending}</Notice>}
      <Next
        tokenId={tokenId}
        sale={sale}
        phase={phase}
        buyer={buyer}
        units={units}
        problem={problem}
        onSent={(hash) => {
          if (units === null || cost === null || address === undefined) return;
          onBought({ hash, units, costMicros: cost, account: address });
        }}
      />
    </Stack>
  );
}

function UnitsField({
  sale,
  balanceMicros,
  text,
  problem,
  focused,
  onChange,
}: {
  sale: Sale;
  /** Null while it is not known. */
  balanceMicros: bigint | null;
  text: string;
  problem: string | null;
  /** Whether the field is brought to who comes from a receipt. */
  focused: boolean;
  onChange: (text: string) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  const most = mostUnits(sale, balanceMicros);
  const left = `${counted(sale.unitsLeft, "unit")} ${sale.unitsLeft === 1 ? "is" : "are"} left`;
  return (
    <TextInput
      label="Units (GPU-hours)"
      inputMode="numeric"
      autoComplete="off"
      ref={field}
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={problem}
      description={
        balanceMicros === null
          ? `${left}.`
          : `${left}; you have ${exactMoney(balanceMicros)} ${sale.token.symbol}.`
      }
      rightSectionWidth={64}
      rightSection={
        <Button
          size="compact-sm"
          variant="subtle"
          disabled={most === 0n}
          onClick={() => onChange(most.toString())}
          aria-label={`Max: ${grouped(most)} units`}
        >
          Max
        </Button>
      }
    />
  );
}
