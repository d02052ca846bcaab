import { NativeSelect, SimpleGrid, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, dataOf } from "../../api/client";
import { useNow } from "../../api/clock";
import { ChangeForm } from "./ChangeForm";
import { fieldErrors } from "./fieldErrors";
import { type LeaseFields, PLANS, closeBody, leaseBody, priceBody } from "./leaseForms";
import { utcInput } from "./numbers";
import type { FieldErrors } from "./offerForm";
import { type ConsoleFacility, type Lease, useChange } from "./queries";

const nextHour = (now: number) => (Math.floor(now / 3_600) + 1) * 3_600;

/** Opens a lease. */
export function OpenLease({ facility, onDone }: { facility: ConsoleFacility; onDone: () => void }) {
  const now = useNow();
  const [fields, setFields] = useState<LeaseFields>(() => ({
    leaseId: "",
    renterRef: "",
    plan: "reserved",
    committed: "",
    max: "",
    openedAt: utcInput(Math.max(facility.window_start_s, nextHour(now))),
    price: "",
    credit: "0",
  }));
  const [wrong, setWrong] = useState<FieldErrors>({});
  const open = useChange((body: NonNullable<ReturnType<typeof leaseBody>["body"]>) =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/leases", {
        params: { path: { facility_id: facility.facility_id } },
        body,
      }),
    ),
  );
  const names =
    "lease_id renter_ref plan committed_gpus max_gpus opened_at price_micros_per_gpu_hour sla_credit_bps".split(
      " ",
    );
  const errors = { ...fieldErrors(open.error, names), ...wrong };
  const input = (key: keyof LeaseFields, field: string) => ({
    value: fields[key],
    error: errors[field],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setFields((before) => ({ ...before, [key]: value }));
    },
  });
  const submit = () => {
    open.reset();
    const made = leaseBody(fields);
    setWrong(made.errors ?? {});
    if (made.body !== null) open.mutate(made.body, { onSuccess: onDone });
  };
  return (
    <ChangeForm
      submit="Open lease"
      busy={open.isPending}
      problem={errors[""]}
      onSubmit={submit}
      onCancel={onDone}
    >
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <TextInput
          label="Lease id"
          description="Yours; only its hash is published"
          required
          data-autofocus
          {...input("leaseId", "lease_id")}
        />
        <TextInput
          label="Renter reference"
          description="Opaque; never personal data"
          required
          {...input("renterRef", "renter_ref")}
        />
        <NativeSelect label="Plan" data={[...PLANS]} {...input("plan", "plan")} />
        {fields.plan === "take_or_pay" && (
          <TextInput
            label="Committed GPUs"
            inputMode="numeric"
            required
            {...input("committed", "committed_gpus")}
          />
        )}
        <TextInput
          label="Most GPUs at once"
          placeholder="no limit"
          inputMode="numeric"
          {...input("max", "max_gpus")}
        />
        <TextInput
          type="datetime-local"
          label="Begins (UTC)"
          required
          {...input("openedAt", "opened_at")}
        />
        <TextInput
          label="Price of a GPU-hour"
          placeholder="2.49"
          inputMode="decimal"
          required
          {...input("price", "price_micros_per_gpu_hour")}
        />
        <TextInput
          label="SLA credit, %"
          description="Of the price, for withheld time"
          inputMode="decimal"
          {...input("credit", "sla_credit_bps")}
        />
      </SimpleGrid>
    </ChangeForm>
  );
}

/** Adds a price version to a lease. */
export function AddPrice({
  facilityId,
  lease,
  onDone,
}: {
  facilityId: number;
  lease: Lease;
  onDone: () => void;
}) {
  const now = useNow();
  const [fields, setFields] = useState(() => ({
    from: utcInput(nextHour(now)),
    price: "",
    credit: String((lease.prices.at(-1)?.sla_credit_bps ?? 0) / 100),
  }));
  const [wrong, setWrong] = useState<FieldErrors>({});
  const add = useChange((body: NonNullable<ReturnType<typeof priceBody>["body"]>) =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/leases/{lease_id}/prices", {
        params: { path: { facility_id: facilityId, lease_id: lease.lease_id } },
        body,
      }),
    ),
  );
  const names = ["effective_from", "price_micros_per_gpu_hour", "sla_credit_bps"];
  const errors = { ...fieldErrors(add.error, names), ...wrong };
  const input = (key: keyof typeof fields, field: string) => ({
    value: fields[key],
    error: errors[field],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setFields((before) => ({ ...before, [key]: value }));
    },
  });
  const submit = () => {
    add.reset();
    const made = priceBody(fields);
    setWrong(made.errors ?? {});
    if (made.body !== null) add.mutate(made.body, { onSuccess: onDone });
  };
  return (
    <ChangeForm
      submit="Add price"
      busy={add.isPending}
      problem={errors[""]}
      onSubmit={submit}
      onCancel={onDone}
    >
      <Text size="sm">Prices never change backwards: closed epochs keep theirs.</Text>
      <TextInput
        type="datetime-local"
        label="In force from (UTC)"
        required
        {...input("from", "effective_from")}
      />
      <TextInput
        label="Price of a GPU-hour"
        inputMode="decimal"
        required
        data-autofocus
        {...input("price", "price_micros_per_gpu_hour")}
      />
      <TextInput label="SLA credit, %" inputMode="decimal" {...input("credit", "sla_credit_bps")} />
    </ChangeForm>
  );
}

/** Ends a lease. */
export function CloseLease({
  facilityId,
  lease,
  onDone,
}: {
  facilityId: number;
  lease: Lease;
  onDone: () => void;
}) {
  const now = useNow();
  const [at, setAt] = useState(() => utcInput(nextHour(now)));
  const [wrong, setWrong] = useState<FieldErrors>({});
  const close = useChange((body: { closed_at: string }) =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/leases/{lease_id}/close", {
        params: { path: { facility_id: facilityId, lease_id: lease.lease_id } },
        body,
      }),
    ),
  );
  const errors = { ...fieldErrors(close.error, ["closed_at"]), ...wrong };
  const submit = () => {
    close.reset();
    const made = closeBody(at);
    setWrong(made.errors ?? {});
    if (made.body !== null) close.mutate(made.body, { onSuccess: onDone });
  };
  return (
    <ChangeForm
      submit="Close lease"
      busy={close.isPending}
      problem={errors[""]}
      onSubmit={submit}
      onCancel={onDone}
    >
      <Text size="sm">
        A closed lease takes no usage after its end, and cannot be opened again.
      </Text>
      <TextInput
        type="datetime-local"
        label="Ends (UTC)"
        required
        value={at}
        error={errors["closed_at"]}
        onChange={(event) => setAt(event.currentTarget.value)}
      />
    </ChangeForm>
  );
}
