import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useNow } from "../../../api/clock";
import { useService } from "../../../api/service";
import { grouped } from "../../../format/money";
import type { ChainFacts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";
import { OwnSend } from "../forms/OwnSend";
import { useFields } from "../forms/useFields";
import type { FieldErrors } from "./offerForm";
import { saleDefaults, saleTerms } from "./saleForm";

/** Opens the sale of a whole offer at fixed prices. */
export function OpenSale({ facilityId, facts }: { facilityId: number; facts: ChainFacts }) {
  const now = useNow();
  const call = useFacilityCall("PrimarySale", facilityId);
  const caps = facts.tranches.map((t) => t.capUnits);
  const { fields, change, input } = useFields(() => saleDefaults(now, facts.windowStartS, caps));
  const { terms, errors } = saleTerms(fields, now, facts.windowStartS, caps);
  const text = (key: "opensAt" | "closesAt" | "floor" | "upFront") => input(key, errors?.[key]);
  return (
    <Stack gap="sm" maw={640}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <Prices
          capsUnits={caps}
          prices={fields.prices}
          errors={errors}
          onChange={(prices) => change({ prices })}
        />
        <TextInput type="datetime-local" label="Opens (UTC)" {...text("opensAt")} />
        <TextInput type="datetime-local" label="Closes (UTC)" {...text("closesAt")} />
        <TextInput
          label="Floor, units"
          description="Fewer sold: buyers are refunded"
          inputMode="numeric"
          {...text("floor")}
        />
        <TextInput
          label="Up front, %"
          description="Yours at success; the rest with delivery"
          inputMode="decimal"
          {...text("upFront")}
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        Prices and terms of a sale can never be changed.
      </Text>
      <OwnSend
        gpuOperator={facts.gpuOperator}
        call={terms && call("open", `Open the sale of facility ${facilityId}`, terms)}
      >
        Open the sale
      </OwnSend>
    </Stack>
  );
}

/** A price for a unit of each tranche, most senior first. */
function Prices({
  capsUnits,
  prices,
  errors,
  onChange,
}: {
  capsUnits: readonly bigint[];
  prices: readonly string[];
  errors: FieldErrors | null;
  onChange: (prices: string[]) => void;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  return capsUnits.map((cap, i) => {
    const price = prices[i] ?? "";
    return (
      <TextInput
        key={i}
        label={`Price of a unit of tranche ${i}, ${symbol}`}
        description={`${grouped(cap)} units`}
        inputMode="decimal"
        required
        value={price}
        error={price.trim() === "" ? undefined : errors?.[`prices.${i}`]}
        onChange={(event) => {
          const { value } = event.currentTarget;
          onChange(prices.map((p, at) => (at === i ? value : p)));
        }}
      />
    );
  });
}
