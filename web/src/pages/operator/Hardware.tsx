import { SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, dataOf } from "../../api/client";
import { useService } from "../../api/service";
import { date } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Section } from "../../parts/Section";
import { ChangeForm } from "./ChangeForm";
import { fieldErrors } from "./fieldErrors";
import { hardwareBody } from "./leaseForms";
import type { FieldErrors } from "./offerForm";
import { useChange, useHardware } from "./queries";

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
  const [cost, setCost] = useState("");
  const [since, setSince] = useState("");
  const [wrong, setWrong] = useState<FieldErrors>({});
  const disclose = useChange((body: NonNullable<ReturnType<typeof hardwareBody>["body"]>) =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/hardware", {
        params: { path: { facility_id: facilityId } },
        body,
      }),
    ),
  );
  const errors = {
    ...fieldErrors(disclose.error, ["cost_micros_per_device", "in_service_at"]),
    ...wrong,
  };
  const submit = () => {
    disclose.reset();
    const made = hardwareBody(cost, since);
    setWrong(made.errors ?? {});
    if (made.body === null) return;
    disclose.mutate(made.body, {
      onSuccess: () => {
        setCost("");
        setSince("");
      },
    });
  };
  return (
    <ChangeForm submit="Disclose" busy={disclose.isPending} problem={errors[""]} onSubmit={submit}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm" maw={640}>
        <TextInput
          label={`Cost of one device, ${symbol}`}
          inputMode="decimal"
          placeholder="30,000"
          value={cost}
          error={errors["cost_micros_per_device"]}
          onChange={(event) => setCost(event.currentTarget.value)}
        />
        <TextInput
          type="datetime-local"
          label="In service since (UTC)"
          value={since}
          error={errors["in_service_at"]}
          onChange={(event) => setSince(event.currentTarget.value)}
        />
      </SimpleGrid>
    </ChangeForm>
  );
}
