import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useNow } from "../../../api/clock";
import { useService } from "../../../api/service";
import { exactMoney, grouped, money } from "../../../format/money";
import { trancheName } from "../../../format/tranche";
import { Notice } from "../../../parts/Notice";
import type { ChainFacts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";
import { OwnSend } from "../forms/OwnSend";
import { useFields } from "../forms/useFields";
import type { FieldErrors } from "./offerForm";
import { allAtTheirPrices, proposedFloor, saleDefaults, saleTerms } from "./saleForm";

/** Opens the sale of a whole offer at fixed prices. */
export function OpenSale({ facilityId, facts }: { facilityId: number; facts: ChainFacts }) {
  const now = useNow();
  const call = useFacilityCall("PrimarySale", facilityId);
  const symbol = useService().settlement_token?.symbol ?? "";
  const { fields, change, input } = useFields(() => saleDefaults(now, facts));
  const { terms, errors } = saleTerms(fields, now, facts);
  const total = allAtTheirPrices(fields, facts);
  const text = (key: "opensAt" | "closesAt" | "floor" | "upFront") => input(key, errors?.[key]);
  return (
    <Stack gap="sm" maw={640}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <Prices
          tranches={facts.tranches}
          prices={fields.prices}
          errors={errors}
          onChange={(prices) => change({ prices })}
        />
        <TextInput type="datetime-local" label="Opens (UTC)" {...text("opensAt")} />
        <TextInput type="datetime-local" label="Closes (UTC)" {...text("closesAt")} />
        <TextInput
          label={`Floor, ${symbol}`}
          description="If others than you pay less, all are refunded. Empty: half of everything"
          placeholder={total === null ? "" : money(proposedFloor(total))}
          inputMode="decimal"
          {...text("floor")}
        />
        <TextInput
          label="Up front, %"
          description="Yours when the window begins; the rest with delivery"
          inputMode="decimal"
          {...text("upFront")}
        />
      </SimpleGrid>
      {errors?.["promise"] !== undefined && (
        <Notice tone="bad" alert>
          {errors["promise"]}
        </Notice>
      )}
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
  tranches,
  prices,
  errors,
  onChange,
}: {
  tranches: ChainFacts["tranches"];
  prices: readonly string[];
  errors: FieldErrors | null;
  onChange: (prices: string[]) => void;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  return tranches.map(({ capUnits, couponPerUnitMicros }, i) => {
    const price = prices[i] ?? "";
    const last = i === tranches.length - 1;
    return (
      <TextInput
        key={i}
        label={`Price of a unit of ${trancheName(i, tranches.length)}, ${symbol}`}
        description={
          last
            ? `${grouped(capUnits)} units, paid what is left`
            : `${grouped(capUnits)} units, paid at most ${exactMoney(couponPerUnitMicros)} each`
        }
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
