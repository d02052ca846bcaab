import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import type { Address } from "viem";
import { useService } from "../../../api/service";
import { Notice } from "../../../parts/Notice";
import { useFacilityCall } from "../facilityCall";
import { OwnSend } from "../forms/OwnSend";
import { useFields } from "../forms/useFields";
import { BOND_DEFAULTS, bondTerms, warningOfPrice } from "./bondForm";

/** Agrees the terms of a bond, once, before any unit exists. */
export function BondTermsForm({
  facilityId,
  gpuOperator,
}: {
  facilityId: number;
  gpuOperator: Address;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const call = useFacilityCall("BondVault", facilityId);
  const { fields, input } = useFields(() => BOND_DEFAULTS);
  const { terms, errors } = bondTerms(fields);
  const warning = warningOfPrice(fields);
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm" maw={640}>
        <TextInput
          label={`Least bond, ${symbol}`}
          description="Below it, no sale and no start"
          inputMode="decimal"
          {...input("minimum", errors["minimum"])}
        />
        <TextInput
          label={`Price of a missing GPU-hour, ${symbol}`}
          description="What an hour costs you that you promised and do not deliver"
          inputMode="decimal"
          {...input("price", errors["price"])}
        />
        <TextInput
          label={`Market rent of a GPU-hour, ${symbol}`}
          description="Only to compare with the price; sent nowhere"
          inputMode="decimal"
          {...input("rent", errors["rent"])}
        />
      </SimpleGrid>
      <Text size="sm" c="dimmed" maw={640}>
        Nothing is taken from the bond while the facility delivers. Its closing counts the hours
        that were promised and not delivered, at this price: bond and unearned proceeds pay them to
        holders as rent would, tranche by tranche and as far as they go, and the rest is yours. The
        terms can never be changed.
      </Text>
      {warning !== null && <Notice tone="warning">{warning}</Notice>}
      <OwnSend
        gpuOperator={gpuOperator}
        call={terms && call("setTerms", `Agree the bond of facility ${facilityId}`, terms)}
      >
        Agree bond terms
      </OwnSend>
    </Stack>
  );
}
