import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import type { Address } from "viem";
import { useService } from "../../../api/service";
import { useFacilityCall } from "../facilityCall";
import { OwnSend } from "../forms/OwnSend";
import { useFields } from "../forms/useFields";
import { BOND_DEFAULTS, bondTerms } from "./bondForm";

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
          description="What holders get for each"
          inputMode="decimal"
          {...input("price", errors["price"])}
        />
        <TextInput
          label="Grace, hours"
          description="How long it may be too small"
          inputMode="numeric"
          {...input("graceHours", errors["graceHours"])}
        />
        <TextInput
          label="Default after missing epochs"
          description="Statements overdue; 0 is never"
          inputMode="numeric"
          {...input("epochs", errors["epochs"])}
        />
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        The terms can never be changed.
      </Text>
      <OwnSend
        gpuOperator={gpuOperator}
        call={terms && call("setTerms", `Agree the bond of facility ${facilityId}`, terms)}
      >
        Agree bond terms
      </OwnSend>
    </Stack>
  );
}
