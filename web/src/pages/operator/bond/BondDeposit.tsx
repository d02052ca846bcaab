import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Address } from "viem";
import { useConnection } from "wagmi";
import { useContractAddress, useService } from "../../../api/service";
import { bondVaultAbi, erc20Abi } from "../../../chain/abis";
import { exactMoney, parseMoney } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { SendButton } from "../../../parts/SendButton";
import { useFunds } from "../chainFacts";

/** Adds to a bond: the exact allowance first, then the deposit. Anybody may pay it. */
export function BondDeposit({
  facilityId,
  token,
  missing,
}: {
  facilityId: number;
  token: Address;
  /** What is missing to the minimum: the amount that the field begins with. */
  missing: bigint;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const vault = useContractAddress("BondVault");
  const { address } = useConnection();
  const { data: funds } = useFunds(token, address, vault);
  const [text, setText] = useState(() => (missing > 0n ? exactMoney(missing) : ""));
  const amount = parseMoney(text);
  const short = funds != null && amount !== null && amount > funds.balanceMicros;
  const allowed = funds != null && amount !== null && funds.allowanceMicros >= amount;
  const invalid = text.trim() !== "" && (amount === null || amount === 0n);
  const error = invalid
    ? "An amount above zero, with at most 6 decimals."
    : short
      ? "More than the connected account has."
      : undefined;
  const ready = amount !== null && amount > 0n && !short;
  return (
    <Stack gap="xs" maw={420}>
      <TextInput
        label={`Amount to deposit, ${symbol}`}
        inputMode="decimal"
        value={text}
        error={error}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {funds != null && (
        <Text size="xs" c="dimmed">
          The connected account has <Amount micros={funds.balanceMicros} symbol />.
        </Text>
      )}
      {allowed ? (
        <SendButton
          key="deposit"
          disabled={!ready}
          call={{
            address: vault,
            abi: bondVaultAbi,
            functionName: "deposit",
            args: [BigInt(facilityId), amount],
            label: `Deposit ${exactMoney(amount)} ${symbol} as bond`,
          }}
        >
          Deposit
        </SendButton>
      ) : (
        <SendButton
          key="approve"
          disabled={!ready}
          call={
            amount === null
              ? null
              : {
                  address: token,
                  abi: erc20Abi,
                  functionName: "approve",
                  args: [vault, amount],
                  label: `Allow exactly ${exactMoney(amount)} ${symbol} for the bond`,
                }
          }
        >
          Allow exactly this amount
        </SendButton>
      )}
    </Stack>
  );
}
