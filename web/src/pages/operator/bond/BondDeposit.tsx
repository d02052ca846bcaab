import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Address } from "viem";
import { useConnection } from "wagmi";
import { useContractAddress, useService } from "../../../api/service";
import { erc20Abi } from "../../../chain/abis";
import { exactMoney, parseMoney } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { SendButton } from "../../../parts/SendButton";
import { useFunds } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";

/** Adds to a bond: the exact allowance first, then the deposit. Anybody may pay it. */
export function BondDeposit({
  facilityId,
  token,
  missingMicros,
}: {
  facilityId: number;
  token: Address;
  /** What is missing to the minimum: the amount that the field begins with. */
  missingMicros: bigint;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const vault = useContractAddress("BondVault");
  const { address } = useConnection();
  const { data: funds } = useFunds(token, address, vault);
  const [text, setText] = useState(() => (missingMicros > 0n ? exactMoney(missingMicros) : ""));
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
      <AllowOrDeposit
        facilityId={facilityId}
        token={token}
        amountMicros={amount}
        allowed={allowed}
        disabled={!ready}
      />
    </Stack>
  );
}

/** The next transaction: the allowance, and once it is there the deposit. */
function AllowOrDeposit({
  facilityId,
  token,
  amountMicros,
  allowed,
  disabled,
}: {
  facilityId: number;
  token: Address;
  /** Null while the text is no amount. */
  amountMicros: bigint | null;
  allowed: boolean;
  disabled: boolean;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const vault = useContractAddress("BondVault");
  const call = useFacilityCall("BondVault", facilityId);
  const money = amountMicros === null ? "" : `${exactMoney(amountMicros)} ${symbol}`;
  if (amountMicros !== null && allowed) {
    return (
      <SendButton
        key="deposit"
        disabled={disabled}
        call={call("deposit", `Deposit ${money} as bond`, amountMicros)}
      >
        Deposit
      </SendButton>
    );
  }
  const approve = amountMicros !== null && {
    address: token,
    abi: erc20Abi,
    functionName: "approve",
    args: [vault, amountMicros],
    label: `Allow exactly ${money} for the bond`,
  };
  return (
    <SendButton key="approve" disabled={disabled} call={approve || null}>
      Allow exactly this amount
    </SendButton>
  );
}
