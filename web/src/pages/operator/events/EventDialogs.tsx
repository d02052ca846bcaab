import { NativeSelect, SimpleGrid, Text, TextInput } from "@mantine/core";
import type { ComponentProps } from "react";
import { useNow } from "../../../api/clock";
import { utcInput } from "../forms/numbers";
import { type ConsoleFacility, useDevices, useLeases } from "../queries";
import {
  type AdjustmentFields,
  type TimeFields,
  adjustmentEvent,
  outageEvent,
  replaceEvent,
  timeFieldsOf,
  voidEvent,
} from "./eventForms";
import { type Logged, previewEvent, sendEvent } from "./eventQueries";
import { PreviewForm } from "./PreviewForm";
import { usePreviewForm } from "./usePreviewForm";

interface Done {
  facility: ConsoleFacility;
  onDone: () => void;
}

/** How an event is looked at first, and sent then. */
const acts = (facility: ConsoleFacility) => ({
  look: (event: Parameters<typeof sendEvent>[0]) => previewEvent(facility.facility_id, event),
  change: sendEvent,
});

const TIME_PLACES = {
  what: "what",
  device: "device",
  lease: "lease",
  cause: "cause",
  start: "start",
  end: "end",
  reason: "reason",
} as const;

/** Takes an event back. */
export function VoidEvent({ facility, event, onDone }: Done & { event: Logged }) {
  const { input, frame } = usePreviewForm({
    initial: () => ({ reason: "" }),
    places: { reason: "reason" },
    make: ({ reason }) => voidEvent(facility.facility_id, event, reason),
    ...acts(facility),
    onDone,
  });
  return (
    <PreviewForm act="Void the event" {...frame} onCancel={onDone}>
      <Text size="sm">
        The event stays in the log, and what it told no longer counts. Its statement is not changed:
        the next one says the difference. A void is undone by sending the event anew.
      </Text>
      <Reason {...input("reason")} />
    </PreviewForm>
  );
}

/** Puts another use or outage in the place of an event. */
export function ReplaceEvent({ facility, event, onDone }: Done & { event: Logged }) {
  const { fields, input, frame } = usePreviewForm({
    initial: () => timeFieldsOf(event),
    places: TIME_PLACES,
    make: (typed: TimeFields) => replaceEvent(facility.facility_id, event, typed),
    ...acts(facility),
    onDone,
  });
  return (
    <PreviewForm act="Replace the event" {...frame} onCancel={onDone}>
      <Text size="sm">
        One act: what the event told no longer counts, and this counts in its place. If this is
        refused, the event stands as it was.
      </Text>
      <NativeSelect
        label="It was"
        data={[
          { value: "usage", label: "Usage" },
          { value: "delivery", label: "A delivery to a holder" },
          { value: "outage", label: "An outage" },
        ]}
        {...input("what")}
      />
      <TimeInputs facility={facility} what={fields.what} input={input} />
      <Reason {...input("reason")} />
    </PreviewForm>
  );
}

/** Tells an outage, also one that is past and lies over usage. */
export function TellOutage({ facility, onDone }: Done) {
  const now = useNow();
  const hour = Math.floor(now / 3_600) * 3_600;
  const { input, frame } = usePreviewForm({
    initial: (): TimeFields => ({
      what: "outage",
      device: "",
      lease: "",
      cause: "fault",
      start: utcInput(hour - 3_600),
      end: utcInput(hour),
      reason: "",
    }),
    places: TIME_PLACES,
    make: (typed) => outageEvent(facility.facility_id, typed),
    ...acts(facility),
    onDone,
  });
  return (
    <PreviewForm act="Tell the outage" {...frame} onCancel={onDone}>
      <Text size="sm">
        An outage beats usage of its time, second by second, also where that was stated. A fault
        counts for SLA credits and for the availability that holders were promised; a planned outage
        counts for no SLA.
      </Text>
      <TimeInputs facility={facility} what="outage" input={input} />
      <Reason {...input("reason")} />
    </PreviewForm>
  );
}

/** Money from a lease, or back to it. */
export function Adjust({ facility, onDone }: Done) {
  const leases = useLeases(facility.facility_id).data ?? [];
  const { input, frame } = usePreviewForm({
    initial: (): AdjustmentFields => ({ lease: "", direction: "back", amount: "", reason: "" }),
    places: { lease: "lease_id", direction: "direction", amount: "amount", reason: "reason" },
    make: (typed) => adjustmentEvent(facility.facility_id, typed),
    ...acts(facility),
    onDone,
  });
  return (
    <PreviewForm act="Make the adjustment" {...frame} onCancel={onDone}>
      <Text size="sm">
        For what no usage, outage or price says: goodwill, a settled dispute, time whose month is
        sealed. The next statement states it. It is undone by a contrary one.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <NativeSelect
          label="Lease"
          required
          data-autofocus
          data={[{ value: "", label: "Choose a lease" }, ...leases.map((l) => l.lease_id)]}
          {...input("lease")}
        />
        <NativeSelect
          label="Direction"
          data={[
            { value: "back", label: "Back to the renter" },
            { value: "charge", label: "Charged to the renter" },
          ]}
          {...input("direction")}
        />
        <TextInput label="Amount" inputMode="decimal" required {...input("amount")} />
        <TextInput
          label="Reason"
          description="Kept with the event; never personal data"
          required
          {...input("reason")}
        />
      </SimpleGrid>
    </PreviewForm>
  );
}

type InputOf = (key: "device" | "lease" | "cause" | "start" | "end") => InputProps;
type InputProps = Pick<ComponentProps<typeof TextInput>, "value" | "error"> & {
  value: string;
  onChange: (event: { currentTarget: { value: string } }) => void;
};

/** Which device, when, and of or from whom. */
function TimeInputs({
  facility,
  what,
  input,
}: {
  facility: ConsoleFacility;
  what: string;
  input: InputOf;
}) {
  const devices = useDevices(facility.facility_id).data ?? [];
  const leases = useLeases(facility.facility_id).data ?? [];
  const out = what === "outage";
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
      <NativeSelect
        label="Device"
        required
        data={[{ value: "", label: "Choose a device" }, ...devices.map((d) => d.uuid)]}
        {...input("device")}
      />
      <NativeSelect
        label={out ? "Kept from the lease" : "Lease"}
        required={!out}
        data={[
          { value: "", label: out ? "Whoever held it, or nobody" : "Choose a lease" },
          ...leases.map((l) => l.lease_id),
        ]}
        {...input("lease")}
      />
      <TextInput type="datetime-local" step={1} label="From (UTC)" required {...input("start")} />
      <TextInput type="datetime-local" step={1} label="To (UTC)" required {...input("end")} />
      {out && (
        <NativeSelect
          label="Cause"
          data={[
            { value: "fault", label: "A fault" },
            { value: "planned", label: "Planned, as announced" },
          ]}
          {...input("cause")}
        />
      )}
    </SimpleGrid>
  );
}

function Reason(props: InputProps) {
  return (
    <TextInput
      label="Reason"
      description="Kept with the event; never personal data"
      placeholder="optional"
      {...props}
    />
  );
}
