/** Units, cost and payment for the connected wallet. */

import { Button, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useConnection } from "wagmi";
import { counted, exactMoney, grouped, parseUnits } from "../../../format/money";
import { Fact, Facts } from "../../../parts/Facts";
import { Next } from "./Next";
import { Outlook, OutlookFacts } from "./Outlook";
import { type Purchase, Receipt } from "./Receipt";
import { type Sale, mostUnits, problemWithUnits, useBuyer } from "./sale";

export function Checkout({
  tokenId,
  sale,
  phase,
}: {
  tokenId: string;
  sale: Sale;
  phase: "early" | "open" | "paused";
}) {
  const { address } = useConnection();
  const buyer = useBuyer(address, tokenId, sale.token.address);
  const [text, setText] = useState("1");
  const [bought, setBought] = useState<(Purchase & { account: string }) | null>(null);

  const units = parseUnits(text);
  const balance = buyer.data?.balanceMicros ?? null;
  const problem = problemWithUnits(units, sale, balance);
  const cost = units === null ? null : units * sale.priceMicros;
  const { symbol } = sale.token;

  // The form is gone until somebody asks for it again, so that no second press buys again.
  if (bought !== null) {
    return (
      <Receipt
        purchase={bought}
        account={bought.account}
        symbol={symbol}
        onAgain={() => {
          setText("");
          setBought(null);
        }}
      />
    );
  }
  return (
    <Stack gap="md">
      <UnitsField
        sale={sale}
        balanceMicros={balance}
        text={text}
        problem={problem}
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
      <Next
        tokenId={tokenId}
        sale={sale}
        phase={phase}
        buyer={buyer}
        units={units}
        problem={problem}
        onSent={(hash) => {
          if (units === null || cost === null || address === undefined) return;
          setBought({ hash, units, costMicros: cost, account: address });
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
  onChange,
}: {
  sale: Sale;
  /** Null while it is not known. */
  balanceMicros: bigint | null;
  text: string;
  problem: string | null;
  onChange: (text: string) => void;
}) {
  const most = mostUnits(sale, balanceMicros);
  const left = `${counted(sale.unitsLeft, "unit")} ${sale.unitsLeft === 1 ? "is" : "are"} left`;
  return (
    <TextInput
      label="Units (GPU-hours)"
      inputMode="numeric"
      autoComplete="off"
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
