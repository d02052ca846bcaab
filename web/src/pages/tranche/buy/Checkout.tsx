/** Units, cost and payment for the connected wallet. */

import { Anchor, Button, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import type { Hash } from "viem";
import { useConnection } from "wagmi";
import { counted, exactMoney, grouped, parseUnits } from "../../../format/money";
import { TxState } from "../../../parts/TxState";
import { Fact, Facts } from "../../../parts/Facts";
import { Next } from "./Next";
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
  const [hash, setHash] = useState<Hash | null>(null);

  const units = parseUnits(text);
  const balance = buyer.data?.balanceMicros ?? null;
  const problem = problemWithUnits(units, sale, balance);
  const cost = units === null ? null : units * sale.priceMicros;
  const { symbol } = sale.token;

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
        {buyer.data !== undefined && buyer.data.units > 0n && (
          <Fact name="You hold already">{counted(buyer.data.units, "unit")}</Fact>
        )}
      </Facts>
      <Next
        tokenId={tokenId}
        sale={sale}
        phase={phase}
        buyer={buyer}
        units={units}
        problem={problem}
        onSent={setHash}
      />
      {hash !== null && (
        <Stack gap="xs">
          <TxState hash={hash} />
          <Text size="sm">
            Your units are in your{" "}
            <Anchor component={Link} to={`/portfolio/${address ?? ""}`} underline="always">
              portfolio
            </Anchor>{" "}
            as soon as it is mined.
          </Text>
        </Stack>
      )}
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
