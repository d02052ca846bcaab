import { NativeSelect, SimpleGrid, Text, TextInput } from "@mantine/core";
import { api, dataOf } from "../../../api/client";
import { useNow } from "../../../api/clock";
import { PreviewForm } from "../events/PreviewForm";
import { leaseClosed, leaseOpened } from "../events/eventForms";
import { previewEvent, previewPrice } from "../events/eventQueries";
import { usePreviewForm } from "../events/usePreviewForm";
import { type LeaseFields, PLANS, closeBody, leaseBody, priceBody } from "./leaseForms";
import { utcInput } from "../forms/numbers";
import type { ConsoleFacility, Lease } from "../queries";

const nextHour = (now: number) => (Math.floor(now / 3_600) + 1) * 3_600;

interface OfLease {
  facilityId: number;
  lease: Lease;
  onDone: () => void;
}

const pathOf = ({ facilityId, lease }: OfLease) => ({
  path: { facility_id: facilityId, lease_id: lease.lease_id },
});

const LEASE_PLACES = {
  leaseId: "lease_id",
  renterRef: "renter_ref",
  plan: "plan",
  committed: "committed_gpus",
  max: "max_gpus",
  openedAt: "opened_at",
  price: "price_micros_per_gpu_hour",
} as const;

/** Opens a lease. */
export function OpenLease({ facility, onDone }: { facility: ConsoleFacility; onDone: () => void }) {
  const now = useNow();
  const params = { path: { facility_id: facility.facility_id } };
  const { fields, input, frame } = usePreviewForm({
    initial: (): LeaseFields => ({
      leaseId: "",
      renterRef: "",
      plan: "reserved",
      committed: "",
      max: "",
      openedAt: utcInput(Math.max(facility.window_start_s, nextHour(now))),
      price: "",
    }),
    places: LEASE_PLACES,
    make: leaseBody,
    look: (body) => previewEvent(facility.facility_id, leaseOpened(facility.facility_id, body)),
    change: (body) => dataOf(api.POST("/v1/facilities/{facility_id}/leases", { params, body })),
    onDone,
  });
  return (
    <PreviewForm act="Open lease" {...frame} onCancel={onDone}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <TextInput
          label="Lease id"
          description="Yours; only its hash is published"
          required
          data-autofocus
          {...input("leaseId")}
        />
        <TextInput
          label="Renter reference"
          description="Opaque; never personal data"
          required
          {...input("renterRef")}
        />
        <NativeSelect label="Plan" data={[...PLANS]} {...input("plan")} />
        {fields.plan === "take_or_pay" && (
          <TextInput label="Committed GPUs" inputMode="numeric" required {...input("committed")} />
        )}
        <TextInput
          label="Most GPUs at once"
          placeholder="no limit"
          inputMode="numeric"
          {...input("max")}
        />
        <TextInput type="datetime-local" label="Begins (UTC)" required {...input("openedAt")} />
        <TextInput
          label="Price of a GPU-hour"
          placeholder="2.49"
          inputMode="decimal"
          required
          {...input("price")}
        />
      </SimpleGrid>
      <Text size="sm" c="dimmed">
        These are its first terms. What else contracts say (an SLA, tiers, a minimum, a commitment
        that grows, fixed amounts, prices of a whole node) are terms that your collector sends as an
        event, <code>rentroll.lease.terms.v1</code>.
        {fields.plan === "take_or_pay" &&
          " What is committed and not used is charged when the month is over; usage that is told later lowers it again."}
      </Text>
    </PreviewForm>
  );
}

/** Sets the price of a lease from an instant on. */
export function AddPrice(props: OfLease) {
  const now = useNow();
  const { input, frame } = usePreviewForm({
    initial: () => ({
      from: utcInput(nextHour(now)),
      price: "",
    }),
    places: { from: "effective_from", price: "price_micros_per_gpu_hour" },
    make: priceBody,
    look: (body) => previewPrice(props.facilityId, props.lease.lease_id, body),
    change: (body) =>
      dataOf(
        api.POST("/v1/facilities/{facility_id}/leases/{lease_id}/prices", {
          params: pathOf(props),
          body,
        }),
      ),
    onDone: props.onDone,
  });
  return (
    <PreviewForm act="Set price" {...frame} onCancel={props.onDone}>
      <Text size="sm">
        The price counts from then on, and takes the place of those that were agreed for that time.
        It may begin in the past, for a price that was typed wrong: the next statement charges the
        difference or gives it back. What lies in a sealed month stays.
      </Text>
      <TextInput type="datetime-local" label="In force from (UTC)" required {...input("from")} />
      <TextInput
        label="Price of a GPU-hour"
        inputMode="decimal"
        required
        data-autofocus
        {...input("price")}
      />
    </PreviewForm>
  );
}

/** Ends a lease. */
export function CloseLease(props: OfLease) {
  const now = useNow();
  const { input, frame } = usePreviewForm({
    initial: () => ({ at: utcInput(nextHour(now)) }),
    places: { at: "closed_at" },
    make: ({ at }) => closeBody(at),
    look: (body) =>
      previewEvent(props.facilityId, leaseClosed(props.facilityId, props.lease.lease_id, body)),
    change: (body) =>
      dataOf(
        api.POST("/v1/facilities/{facility_id}/leases/{lease_id}/close", {
          params: pathOf(props),
          body,
        }),
      ),
    onDone: props.onDone,
  });
  return (
    <PreviewForm act="Close lease" {...frame} onCancel={props.onDone}>
      <Text size="sm">
        A lease takes no usage after its end. The end may be past or to come, and another can
        follow: a later one lets the lease go on.
      </Text>
      <TextInput type="datetime-local" label="Ends (UTC)" required {...input("at")} />
    </PreviewForm>
  );
}
