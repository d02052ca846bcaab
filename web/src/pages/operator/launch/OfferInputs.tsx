/** Inputs of an offer, section by section. */

import { NativeSelect, SimpleGrid, Text, TextInput, Textarea } from "@mantine/core";
import { grouped } from "../../../format/money";
import { duration, instant } from "../../../format/time";
import { Section } from "../../../parts/Section";
import { DevicesFile } from "../files/DevicesFile";
import type { parseDevices } from "../metering/deviceList";
import { EPOCH_LENGTHS, type OfferFields, SILENCES, UNSIGNED } from "./offerForm";

/** What ties an input to its field here, and to the error of the service's field. */
export type OfferInput = (
  key: Exclude<keyof OfferFields, "tranches">,
  field: string,
) => {
  value: string;
  error: string | undefined;
  onChange: (event: { currentTarget: { value: string } }) => void;
};

export function Capacity({
  input,
  list,
  onDevices,
}: {
  input: OfferInput;
  list: ReturnType<typeof parseDevices>;
  /** Takes the lines of a file in the place of the list. */
  onDevices: (lines: string) => void;
}) {
  const count = list.devices.length;
  return (
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
          description="Public name of the model; of slices with their profile, such as H100-SXM5-80GB/1g.10gb"
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
        description="One card a line by its name, GPU-uuid, or one slice with card and profile, MIG-uuid,GPU-uuid,1g.10gb; or paste what nvidia-smi -L prints. Only hashes of the names are published; later a card can only be replaced."
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
      <DevicesFile onDevices={onDevices} />
    </Section>
  );
}

export function DeliveryWindow({
  input,
  endS,
  expiresS,
  capacity,
}: {
  input: OfferInput;
  /** Null while the fields do not say. */
  endS: number | null;
  /** When the offer expires; null while the fields do not say. */
  expiresS: number | null;
  /** GPU-hours of the devices in the window; null while not known. */
  capacity: bigint | null;
}) {
  return (
    <Section title="Delivery window" about="Times are UTC. The window is a whole number of epochs.">
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
        <TextInput
          type="datetime-local"
          label="Offer expires (UTC)"
          description="Not funded by then, it is cancelled"
          {...input("expiresAt", "expires_at")}
        />
      </SimpleGrid>
      <Text size="sm" c="dimmed" role="status" className="figures">
        {endS !== null && `Ends ${instant(endS)}. `}
        {expiresS !== null && `The offer expires ${instant(expiresS)} if it is not funded. `}
        {capacity !== null && `Capacity: ${grouped(capacity)} GPU-hours.`}
      </Text>
    </Section>
  );
}

export function PromiseAndFee({
  input,
  patienceS,
  sealedAtS,
}: {
  input: OfferInput;
  /** Null while the field is no number. */
  patienceS: number | null;
  /** When the seal is over; null while the fields do not say. */
  sealedAtS: number | null;
}) {
  return (
    <Section title="Promise, fee and end">
      <SimpleGrid cols={{ base: 1, sm: 3 }} verticalSpacing="sm">
        <TextInput
          label="Promised availability, %"
          description="Hours that fall short cost what the bond's terms say"
          inputMode="decimal"
          {...input("availability", "promised_availability_ppm")}
        />
        <TextInput
          label="Protocol fee, %"
          description="Of each settlement, 0 to 10"
          inputMode="decimal"
          {...input("fee", "fee_bps")}
        />
        <TextInput
          label="Attesters' share of the fee, %"
          description="Pays the attesters who check your statements; they see it before they approve the pledge"
          inputMode="decimal"
          {...input("attesterFee", "attester_fee_bps")}
        />
        <TextInput
          label="Patience, days"
          description="How long an epoch may be neither stated nor published"
          placeholder="7, or an epoch and a day"
          inputMode="decimal"
          {...input("patienceDays", "patience_s")}
        />
        <TextInput
          label="Seal, days"
          description="So long after a month what came late or was wrong is still put right; at most 90"
          inputMode="decimal"
          {...input("sealDays", "seal_s")}
        />
        <TextInput
          label="Long stop, days"
          description="After window and seal, anybody may end the facility; 90 to 365"
          inputMode="decimal"
          {...input("longStopDays", "long_stop_s")}
        />
        <NativeSelect
          label="A silent device is"
          description="While no event says that it was used or seen"
          data={[...SILENCES]}
          {...input("silence", "silence")}
        />
        <NativeSelect
          label="Unsigned batches are"
          description="Metering, leases and prices that no key of the log signed"
          data={[...UNSIGNED]}
          {...input("unsigned", "unsigned")}
        />
      </SimpleGrid>
      <WhatTheyMean patienceS={patienceS} sealedAtS={sealedAtS} />
    </Section>
  );
}

/** The fields of promise and end in sentences. */
function WhatTheyMean({
  patienceS,
  sealedAtS,
}: {
  patienceS: number | null;
  sealedAtS: number | null;
}) {
  return (
    <>
      <Text size="sm" c="dimmed" maw={760}>
        A silent device that is not available counts as not delivered: let your collector send
        usage, or <code>rentroll.gpu.seen.v1</code> at most ten minutes apart, for every device.
        With &ldquo;available&rdquo; only the outages that you tell lower what holders see. The
        published terms say which of both it is.
      </Text>
      <Text size="sm" c="dimmed" maw={760}>
        Where unsigned batches are refused, API keys and the forms of this console meter nothing and
        change no lease: agents sign, and you do by <code>rentroll ledger-key sign</code>.
      </Text>
      <Text size="sm" c="dimmed" maw={760}>
        {patienceS !== null &&
          `If an epoch is neither stated by attesters nor its evidence published by you ${duration(patienceS)} after its end, anybody can give notice; an epoch and a day later anybody can declare a default, which ends the facility.`}
      </Text>
      <Text size="sm" c="dimmed" maw={760}>
        The seal is for late usage, late outages and corrections: a month can be put right until the
        seal is over behind it, the last ones until it is over behind the window.
        {sealedAtS !== null && ` It is over ${instant(sealedAtS)}.`} One closing statement then says
        what came late. The facility does not mature, and no bond comes back, before it is final.
      </Text>
    </>
  );
}
