/** Units, cost and payment for the connected wallet. */

import { Anchor, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import type { Hash } from "viem";
import { useConnection, useSwitchChain } from "wagmi";
import { useService } from "../../../api/service";
import { useEligibility } from "../../../chain/account";
import { sentenceOf } from "../../../chain/refusals";
import { counted, exactMoney, grouped, parseUnits } from "../../../format/money";
import { date, instant } from "../../../format/time";
import { ConnectButton } from "../../../parts/ConnectButton";
import { Failure } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { TxState } from "../../../parts/TxState";
import { Fact, Facts } from "../../../parts/Facts";
import { Payment } from "./Payment";
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
  const { address, chainId } = useConnection();
  const { chain_id } = useService();
  const buyer = useBuyer(address, tokenId, sale.token.address);
  const eligibility = useEligibility(address);
  const [text, setText] = useState("1");
  const [hash, setHash] = useState<Hash | null>(null);

  const units = parseUnits(text);
  const balance = buyer.data?.balanceMicros ?? null;
  const most = mostUnits(sale, balance);
  const problem = problemWithUnits(units, sale, balance);
  const cost = units === null ? null : units * sale.priceMicros;
  const { symbol } = sale.token;
  const left = `${counted(sale.unitsLeft, "unit")} ${sale.unitsLeft === 1 ? "is" : "are"} left`;

  return (
    <Stack gap="md">
      <TextInput
        label="Units (GPU-hours)"
        inputMode="numeric"
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={problem}
        description={
          balance === null ? `${left}.` : `${left}; you have ${exactMoney(balance)} ${symbol}.`
        }
        rightSectionWidth={64}
        rightSection={
          <Button
            size="compact-sm"
            variant="subtle"
            disabled={most === 0n}
            onClick={() => setText(most.toString())}
            aria-label={`Max: ${grouped(most)} units`}
          >
            Max
          </Button>
        }
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
      {next()}
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

  function next() {
    if (address === undefined) {
      return (
        <Stack gap="xs">
          <ConnectButton fullWidth />
          <Text size="xs" c="dimmed">
            Units go to accounts on the allow-list of investors alone. Connect a wallet to see
            whether yours is.
          </Text>
        </Stack>
      );
    }
    if (chainId !== chain_id) return <WrongNetwork />;
    if (eligibility.isError) {
      return <Failure error={eligibility.error} onRetry={() => void eligibility.refetch()} />;
    }
    if (buyer.isError) {
      return <Failure error={buyer.error} onRetry={() => void buyer.refetch()} />;
    }
    if (eligibility.data === undefined || buyer.data === undefined) {
      return (
        <Button fullWidth loading>
          Buy
        </Button>
      );
    }
    const eligible = eligibility.data.canReceive;
    return (
      <Stack gap="sm">
        {eligible ? (
          <Text size="sm" c="var(--rr-good)">
            <span aria-hidden="true">✓ </span>This account may hold units
            {eligibility.data.expiresAtS !== null && (
              <>
                {" until "}
                <span style={{ whiteSpace: "nowrap" }}>{date(eligibility.data.expiresAtS)}</span>
              </>
            )}
            .
          </Text>
        ) : (
          <Notice tone="warning">
            This account is not on the allow-list of investors, or its entry ended, so it cannot
            receive units. Ask the issuer's compliance to enter{" "}
            <span className="hash hash-whole">{address}</span>; this page notices by itself.
          </Notice>
        )}
        {phase === "early" && (
          <Notice tone="info">The sale opens at {instant(sale.opensAtS)}.</Notice>
        )}
        {phase === "paused" && (
          <Notice tone="warning">
            Transfers and sales are paused by the issuer. Claims go on. This page notices when it
            ends.
          </Notice>
        )}
        {balance !== null && balance < sale.priceMicros && (
          <Notice tone="warning">
            This account has {exactMoney(balance)} {symbol}; one unit costs{" "}
            {exactMoney(sale.priceMicros)} {symbol}.
          </Notice>
        )}
        {eligible && phase === "open" && units !== null && cost !== null && (
          <Payment
            order={{ account: address, tokenId, units, costMicros: cost, token: sale.token }}
            buyer={buyer.data}
            disabled={problem !== null}
            onSent={setHash}
          />
        )}
      </Stack>
    );
  }
}

function WrongNetwork() {
  const { chain_id, chain_name } = useService();
  const { mutate: switchChain, isPending, error } = useSwitchChain();
  return (
    <Stack gap="xs">
      <Group grow>
        <Button loading={isPending} onClick={() => switchChain({ chainId: chain_id })}>
          Switch to {chain_name}
        </Button>
      </Group>
      <Text size="xs" c="dimmed" role={error === null ? undefined : "alert"}>
        {error === null
          ? "Your wallet is on another network. Nothing can be bought from there."
          : sentenceOf(error).sentence}
      </Text>
    </Stack>
  );
}
