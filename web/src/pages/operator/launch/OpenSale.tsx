import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useNow } from "../../../api/clock";
import { useContractAddress, useService } from "../../../api/service";
import { primarySaleAbi } from "../../../chain/abis";
import { grouped } from "../../../format/money";
import { OwnSend } from "../forms/OwnSend";
import type { ChainFacts } from "../chainFacts";
import { saleDefaults, saleTerms } from "./saleForm";

/** Opens the sale of a whole offer at fixed prices. */
export function OpenSale({ facilityId, facts }: { facilityId: number; facts: ChainFacts }) {
  const now = useNow();
  const symbol = useService().settlement_token?.symbol ?? "";
  const address = useContractAddress("PrimarySale");
  const caps = facts.tranches.map((t) => t.capUnits);
  const [fields, setFields] = useState(() => saleDefaults(now, facts.windowStartS, caps));
  const { terms, errors } = saleTerms(fields, now, facts.windowStartS, caps);
  const input = (key: "opensAt" | "closesAt" | "floor" | "upFront") => ({
    value: fields[key],
    error: errors?.[key],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setFields((before) => ({ ...before, [key]: value }));
    },
  });
  const price = (i: number) => fields.prices[i] ?? "";
  return (
    <Stack gap="sm" maw={640}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        {caps.map((cap, i) => (
          <TextInput
            key={i}
            label={`Price of a unit of tranche ${i}, ${symbol}`}
            description={`${grouped(cap)} units`}
            inputMode="decimal"
            required
            value={price(i)}
            error={price(i).trim() === "" ? undefined : errors?.[`prices.${i}`]}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setFields((before) => ({
                ...before,
                prices: before.prices.map((p, at) => (at === i ? value : p)),
              }));
            }}
          />
        ))}
        <TextInput type="datetime-local" label="Opens (UTC)" {...input("opensAt")} />
        <TextInput type="datetime-local" label="Closes (UTC)" {...input("closesAt")} />
        <TextInput
          label="Floor, units"
          description="Fewer sold: buyers are refunded"
          inputMode="numeric"
          {...input("floor")}
        />
        <TextInput
          label="Up front, %"
          description="Yours at success; the rest with delivery"
          inputMode="decimal"
          {...input("upFront")}
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        Prices and terms of a sale can never be changed.
      </Text>
      <OwnSend
        gpuOperator={facts.gpuOperator}
        call={
          terms === null
            ? null
            : {
                address,
                abi: primarySaleAbi,
                functionName: "open",
                args: [BigInt(facilityId), terms],
                label: `Open the sale of facility ${facilityId}`,
              }
        }
      >
        Open the sale
      </OwnSend>
    </Stack>
  );
}
