import {
  Anchor,
  Button,
  Group,
  NativeSelect,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  Textarea,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api, dataOf } from "../../../api/client";
import { useServiceStatus } from "../../../api/clock";
import { grouped } from "../../../format/money";
import { instant } from "../../../format/time";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { PageHead } from "../../../parts/PageHead";
import { Section } from "../../../parts/Section";
import { TrancheInputs } from "./TrancheInputs";
import { parseDevices } from "../metering/deviceList";
import { fieldErrors } from "../forms/fieldErrors";
import {
  EPOCH_LENGTHS,
  type FieldErrors,
  type OfferFields,
  capacityHours,
  facilityBody,
  offerDefaults,
  windowEndS,
} from "./offerForm";
import { sectionPath } from "../sections";

/** Registers a facility. What follows on-chain is the launch section of its page. */
export function OfferPage() {
  const status = useServiceStatus();
  return (
    <>
      <PageHead
        title="Offer a facility"
        about={
          <>
            Pledge devices for a delivery window and cut their capacity into tranches. Registering
            costs nothing; the next page offers it on-chain.{" "}
            <Anchor component={Link} to="/operator" inherit underline="always">
              Back to the overview
            </Anchor>
          </>
        }
      />
      <Loaded query={status}>{(found) => <OfferForm nowS={found.now_s} />}</Loaded>
    </>
  );
}

const PLAIN =
  "name gpu_class site window_start window_end epoch_length_s promised_availability_ppm fee_bps devices tranches".split(
    " ",
  );

function OfferForm({ nowS }: { nowS: number }) {
  const [fields, setFields] = useState<OfferFields>(() => offerDefaults(nowS));
  const [errors, setErrors] = useState<FieldErrors>({});
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const navigate = useNavigate();
  const queries = useQueryClient();

  const change = (part: Partial<OfferFields>) => setFields((before) => ({ ...before, ...part }));
  const input = (key: Exclude<keyof OfferFields, "tranches">, field: string) => ({
    value: fields[key],
    error: errors[field],
    onChange: (event: { currentTarget: { value: string } }) =>
      change({ [key]: event.currentTarget.value }),
  });
  const fail = (found: FieldErrors) => {
    setErrors(found);
    // After the errors are drawn: the first wrong field is where to go on.
    setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = facilityBody(fields);
    if (made.errors !== null) return fail(made.errors);
    setErrors({});
    setBusy(true);
    try {
      const created = await dataOf(api.POST("/v1/facilities", { body: made.body }));
      await queries.invalidateQueries({ queryKey: ["console"] });
      await navigate(sectionPath(created.facility_id, "launch"));
    } catch (error) {
      const places = fields.tranches.flatMap((_, i) => [
        `tranches.${i}.unit_cap`,
        `tranches.${i}.coupon_micros_per_unit`,
      ]);
      fail(fieldErrors(error, [...PLAIN, ...places]));
    } finally {
      setBusy(false);
    }
  };

  const list = parseDevices(fields.devices);
  const count = list.devices.length;
  const end = windowEndS(fields);
  const capacity = capacityHours(fields, count);
  const wrong = Object.keys(errors).filter((field) => field !== "").length;
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Stack gap="xl" maw={860}>
        <Section title="Capacity">
          <SimpleGrid cols={{ base: 1, sm: 3 }} verticalSpacing="sm">
            <TextInput
              label="Name"
              description="Shown on the market, such as hall-1"
              maxLength={80}
              required
              {...input("name", "name")}
            />
            <TextInput
              label="GPU class"
              description="Public name of the model"
              maxLength={32}
              required
              {...input("gpuClass", "gpu_class")}
            />
            <TextInput
              label="Site"
              description="Data centre, such as SE-LULEA-1"
              maxLength={32}
              required
              {...input("site", "site")}
            />
          </SimpleGrid>
          <Textarea
            label="Devices"
            description="One NVML UUID a line, or paste what nvidia-smi -L prints. Only their hashes are published; the list never changes."
            autosize
            minRows={4}
            maxRows={14}
            required
            spellCheck={false}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            {...input("devices", "devices")}
          />
          <Text size="sm" c="dimmed" role="status">
            {grouped(count)} {count === 1 ? "device" : "devices"} read
            {list.problems.length > 0 &&
              `, ${grouped(list.problems.length)} ${list.problems.length === 1 ? "line is" : "lines are"} wrong (first: line ${list.problems[0]?.line ?? ""}, ${list.problems[0]?.why ?? ""})`}
            .
          </Text>
        </Section>

        <Section
          title="Delivery window"
          about="Times are UTC. The window is a whole number of epochs."
        >
          <SimpleGrid cols={{ base: 1, sm: 3 }} verticalSpacing="sm">
            <TextInput
              type="datetime-local"
              label="Begins (UTC)"
              required
              {...input("windowStart", "window_start")}
            />
            <NativeSelect
              label="Epoch length"
              data={EPOCH_LENGTHS.map((e) => ({ value: String(e.seconds), label: e.name }))}
              {...input("epochLengthS", "epoch_length_s")}
            />
            <TextInput
              label="Number of epochs"
              inputMode="numeric"
              required
              {...input("epochs", "window_end")}
            />
          </SimpleGrid>
          <Text size="sm" c="dimmed" role="status" className="figures">
            {end !== null && `Ends ${instant(end)}. `}
            {capacity !== null && count > 0 && `Capacity: ${grouped(capacity)} GPU-hours.`}
          </Text>
        </Section>

        <Section title="Promise and fee">
          <SimpleGrid cols={{ base: 1, sm: 3 }} verticalSpacing="sm">
            <TextInput
              label="Promised availability, %"
              description="What falls short is paid from the bond"
              inputMode="decimal"
              {...input("availability", "promised_availability_ppm")}
            />
            <TextInput
              label="Protocol fee, %"
              description="Of each settlement, 0 to 10"
              inputMode="decimal"
              {...input("fee", "fee_bps")}
            />
          </SimpleGrid>
        </Section>

        <TrancheInputs
          tranches={fields.tranches}
          errors={errors}
          capacity={count > 0 ? capacity : null}
          onChange={(tranches) => change({ tranches })}
        />

        {(errors[""] !== undefined || wrong > 0) && (
          <Notice tone="bad" alert>
            {errors[""] ?? `${wrong === 1 ? "One field needs" : `${wrong} fields need`} a look.`}
          </Notice>
        )}
        <Group>
          <Button type="submit" loading={busy}>
            Register facility
          </Button>
          <Button variant="default" component={Link} to="/operator">
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
