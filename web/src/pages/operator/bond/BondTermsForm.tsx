import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Address } from "viem";
import { useContractAddress, useService } from "../../../api/service";
import { bondVaultAbi } from "../../../chain/abis";
import { parseMoney, parseUnits } from "../../../format/money";
import { OwnSend } from "../forms/OwnSend";

/** The terms as the contract takes them; null while a field is missing or too large for it. */
function termsOf(
  minimum: bigint | null,
  price: bigint | null,
  hours: bigint | null,
  epochs: bigint | null,
) {
  const ok =
    minimum !== null &&
    price !== null &&
    minimum + price > 0n &&
    price < 2n ** 64n &&
    hours !== null &&
    hours * 3_600n < 2n ** 32n &&
    epochs !== null &&
    epochs < 2n ** 16n;
  return ok
    ? {
        requiredBond: minimum,
        ratePerGpuHour: price,
        graceSeconds: Number(hours * 3_600n),
        defaultAfterEpochs: Number(epochs),
      }
    : null;
}

/** Agrees the terms of a bond, once, before any unit exists. */
export function BondTermsForm({
  facilityId,
  gpuOperator,
}: {
  facilityId: number;
  gpuOperator: Address;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const vault = useContractAddress("BondVault");
  const [required, setRequired] = useState("");
  const [rate, setRate] = useState("");
  const [grace, setGrace] = useState("24");
  const [missed, setMissed] = useState("3");
  const minimum = parseMoney(required);
  const price = parseMoney(rate);
  const hours = parseUnits(grace);
  const epochs = parseUnits(missed);
  const terms = termsOf(minimum, price, hours, epochs);
  const wrong = (text: string, found: bigint | null, why: string) =>
    text.trim() !== "" && found === null ? why : undefined;
  const money = "An amount with at most 6 decimals.";
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm" maw={640}>
        <TextInput
          label={`Least bond, ${symbol}`}
          description="Below it, no sale and no start"
          inputMode="decimal"
          value={required}
          error={wrong(required, minimum, money)}
          onChange={(event) => setRequired(event.currentTarget.value)}
        />
        <TextInput
          label={`Price of a missing GPU-hour, ${symbol}`}
          description="What holders get for each"
          inputMode="decimal"
          value={rate}
          error={wrong(rate, price, money)}
          onChange={(event) => setRate(event.currentTarget.value)}
        />
        <TextInput
          label="Grace, hours"
          description="How long it may be too small"
          inputMode="numeric"
          value={grace}
          error={wrong(grace, hours, "Whole hours.")}
          onChange={(event) => setGrace(event.currentTarget.value)}
        />
        <TextInput
          label="Default after missing epochs"
          description="Statements overdue; 0 is never"
          inputMode="numeric"
          value={missed}
          error={wrong(missed, epochs, "A whole number.")}
          onChange={(event) => setMissed(event.currentTarget.value)}
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        The terms can never be changed.
      </Text>
      <OwnSend
        gpuOperator={gpuOperator}
        call={
          terms !== null
            ? {
                address: vault,
                abi: bondVaultAbi,
                functionName: "setTerms",
                args: [BigInt(facilityId), terms],
                label: `Agree the bond of facility ${facilityId}`,
              }
            : null
        }
      >
        Agree bond terms
      </OwnSend>
    </Stack>
  );
}
