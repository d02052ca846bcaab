import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { api, dataOf } from "../../../api/client";
import { useService } from "../../../api/service";
import { date } from "../../../format/time";
import { Amount } from "../../../parts/Amount";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { ChangeForm } from "../forms/ChangeForm";
import { hardwareBody } from "../leases/leaseForms";
import { useHardware } from "../queries";
import { useChangeForm } from "../forms/useChangeForm";

/** What the devices cost, by the operator's own account: the newest is shown to investors. */
export function Hardware({ facilityId }: { facilityId: number }) {
  const query = useHardware(facilityId);
  return (
    <Section
      title="Hardware cost"
      about="Optional. Investors see it as your own statement, with the value left under straight-line depreciation. Every disclosure is kept; the newest is shown."
    >
      <Loaded query={query} lines={2}>
        {(hardware) => (
          <Stack gap="md">
            <Text size="sm">
              {hardware === null ? (
                "Nothing is disclosed yet."
              ) : (
                <>
                  Disclosed: <Amount micros={hardware.cost_micros_per_device} symbol /> a device, in
                  service since {date(hardware.in_service_s)}; stated{" "}
                  <Instant seconds={hardware.disclosed_at_s} ago />.
                </>
              )}
            </Text>
            <Disclose facilityId={facilityId} />
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function Disclose({ facilityId }: { facilityId: number }) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const params = { path: { facility_id: facilityId } };
  const { input, frame } = useChangeForm({
    initial: () => ({ cost: "", since: "" }),
    places: { cost: "cost_micros_per_device", since: "in_service_at" },
    make: ({ cost, since }) => hardwareBody(cost, since),
    change: (body) => dataOf(api.POST("/v1/facilities/{facility_id}/hardware", { params, body })),
  });
  return (
    <ChangeForm submit="Disclose" {...frame}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm" maw={640}>
        <TextInput
          label={`Cost of one device, ${symbol}`}
          inputMode="decimal"
          placeholder="30,000"
          {...input("cost")}
        />
        <TextInput type="datetime-local" label="In service since (UTC)" {...input("since")} />
      </SimpleGrid>
    </ChangeForm>
  );
}
