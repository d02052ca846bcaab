/** What the connected wallet can do next: connect, change network, or pay. */

import { Button, Group, Stack, Text } from "@mantine/core";
import type { Address, Hash } from "viem";
import { useConnection, useSwitchChain } from "wagmi";
import { useService } from "../../../api/service";
import { type Eligibility, useEligibility } from "../../../chain/account";
import { sentenceOf } from "../../../chain/refusals";
import { exactMoney } from "../../../format/money";
import { date, instant } from "../../../format/time";
import { ConnectButton } from "../../../parts/ConnectButton";
import { Failure } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { Payment } from "./Payment";
import type { Buyer, Sale, useBuyer } from "./sale";

interface Wanted {
  tokenId: string;
  sale: Sale;
  phase: "early" | "open" | "paused";
  /** Null while no whole number was entered. */
  units: bigint | null;
  /** Why these units cannot be bought; null if they can. */
  problem: string | null;
  onSent: (hash: Hash) => void;
}

export function Next({ buyer, ...wanted }: Wanted & { buyer: ReturnType<typeof useBuyer> }) {
  const { address, chainId } = useConnection();
  const { chain_id } = useService();
  const eligibility = useEligibility(address);
  if (address === undefined) {
    return (
      <Stack gap="xs">
        <ConnectButton fullWidth />
        <Text size="xs" c="dimmed">
          Units go to accounts on the allow-list of investors alone. Connect a wallet to see whether
          yours is.
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
  return (
    <Eligible {...wanted} address={address} eligibility={eligibility.data} buyer={buyer.data} />
  );
}

function Eligible({
  tokenId,
  sale,
  phase,
  units,
  problem,
  onSent,
  address,
  eligibility,
  buyer,
}: Wanted & { address: Address; eligibility: Eligibility; buyer: Buyer }) {
  const eligible = eligibility.canReceive;
  const balance = buyer.balanceMicros;
  const { symbol } = sale.token;
  return (
    <Stack gap="sm">
      {eligible ? (
        <Text size="sm" c="var(--rr-good)">
          <span aria-hidden="true">✓ </span>This account may hold units
          {eligibility.expiresAtS !== null && (
            <>
              {" until "}
              <span style={{ whiteSpace: "nowrap" }}>{date(eligibility.expiresAtS)}</span>
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
      {balance < sale.priceMicros && (
        <Notice tone="warning">
          This account has {exactMoney(balance)} {symbol}; one unit costs{" "}
          {exactMoney(sale.priceMicros)} {symbol}.
        </Notice>
      )}
      {eligible && phase === "open" && units !== null && (
        <Payment
          order={{
            account: address,
            tokenId,
            units,
            costMicros: units * sale.priceMicros,
            token: sale.token,
          }}
          buyer={buyer}
          disabled={problem !== null}
          onSent={onSent}
        />
      )}
    </Stack>
  );
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
