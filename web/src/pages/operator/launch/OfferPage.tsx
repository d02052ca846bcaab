import { Anchor, Button, Group, Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api, dataOf } from "../../../api/client";
import { useServiceStatus } from "../../../api/clock";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { PageHead } from "../../../parts/PageHead";
import { Capacity, DeliveryWindow, type OfferInput, PromiseAndFee } from "./OfferInputs";
import { TrancheInputs } from "./TrancheInputs";
import { parseDevices } from "../metering/deviceList";
import { fieldErrors } from "../forms/fieldErrors";
import { useFields } from "../forms/useFields";
import {
  type FieldErrors,
  type OfferFields,
  capacityHours,
  expiresAtS,
  facilityBody,
  offerDefaults,
  patienceS,
  sealS,
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
  "name gpu_class site window_start window_end expires_at epoch_length_s promised_availability_ppm fee_bps attester_fee_bps patience_s seal_s long_stop_s silence unsigned devices tranches".split(
    " ",
  );

/** Registers what the form holds, and goes to its launch. */
function useSubmit(
  fields: OfferFields,
  setErrors: (errors: FieldErrors) => void,
  fail: (errors: FieldErrors) => void,
) {
  const [busy, setBusy] = useState(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
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
  return { busy, submit };
}

function OfferForm({ nowS }: { nowS: number }) {
  const { fields, change, input: text } = useFields(() => offerDefaults(nowS));
  const [errors, setErrors] = useState<FieldErrors>({});
  const form = useRef<HTMLFormElement>(null);

  const input: OfferInput = (key, field) => text(key, errors[field]);
  const fail = (found: FieldErrors) => {
    setErrors(found);
    // After the errors are drawn: the first wrong field is where to go on.
    setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };

  const { busy, submit } = useSubmit(fields, setErrors, fail);

  const list = parseDevices(fields.devices);
  const count = list.devices.length;
  const end = windowEndS(fields);
  const seal = sealS(fields);
  const capacity = capacityHours(fields, count);
  const wrong = Object.keys(errors).filter((field) => field !== "").length;
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Stack gap="xl" maw={860}>
        <Capacity input={input} list={list} onDevices={(devices) => change({ devices })} />

        <DeliveryWindow
          input={input}
          endS={end}
          expiresS={expiresAtS(fields)}
          capacity={count > 0 ? capacity : null}
        />

        <PromiseAndFee
          input={input}
          patienceS={patienceS(fields)}
          sealedAtS={end !== null && seal !== null ? end + seal : null}
        />

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
