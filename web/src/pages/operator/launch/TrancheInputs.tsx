import { Button, Group, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useService } from "../../../api/service";
import { grouped, parseUnits } from "../../../format/money";
import { Section } from "../../../parts/Section";
import { type FieldErrors, MAX_TRANCHES, type TrancheFields, splitCapacity } from "./offerForm";

/** One to four tranches, most senior first. */
export function TrancheInputs({
  tranches,
  errors,
  capacity,
  onChange,
}: {
  tranches: readonly TrancheFields[];
  errors: FieldErrors;
  /** GPU-hours of the devices in the window; null while not known. */
  capacity: bigint | null;
  onChange: (tranches: TrancheFields[]) => void;
}) {
  const last = tranches.length - 1;
  const units = tranches.reduce((sum, t) => sum + (parseUnits(t.unitCap) ?? 0n), 0n);
  const set = (index: number, part: Partial<TrancheFields>) =>
    onChange(tranches.map((t, i) => (i === index ? { ...t, ...part } : t)));
  const split = () => {
    const parts = splitCapacity(capacity ?? 0n, tranches.length);
    onChange(tranches.map((t, i) => ({ ...t, unitCap: String(parts[i] ?? 0n) })));
  };
  return (
    <Section
      title="Tranches"
      about="A unit is one GPU-hour. Tranche 0 is paid first, up to its coupon; the last one takes what is left."
      actions={
        <Button
          variant="default"
          size="xs"
          onClick={split}
          disabled={capacity === null || capacity === 0n}
        >
          Split the capacity
        </Button>
      }
    >
      <Stack gap="sm">
        {tranches.map((tranche, i) => (
          <TrancheInput
            key={i}
            index={i}
            last={last}
            tranche={tranche}
            errors={errors}
            onChange={(part) => set(i, part)}
          />
        ))}
      </Stack>
      <Group justify="space-between" gap="sm">
        <Text size="sm" c="dimmed" className="figures" role="status">
          {grouped(units)} units
          {capacity !== null && ` of ${grouped(capacity)} GPU-hours of capacity`}
        </Text>
        <HowMany tranches={tranches} onChange={onChange} />
      </Group>
      {errors["tranches"] !== undefined && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {errors["tranches"]}
        </Text>
      )}
    </Section>
  );
}

function TrancheInput({
  index: i,
  last,
  tranche,
  errors,
  onChange,
}: {
  index: number;
  last: number;
  tranche: TrancheFields;
  errors: FieldErrors;
  onChange: (part: Partial<TrancheFields>) => void;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  return (
    <SimpleGrid
      component="fieldset"
      m={0}
      className="surface"
      p="md"
      cols={{ base: 1, sm: 2 }}
      verticalSpacing="sm"
    >
      <legend className="visually-hidden">Tranche {i}</legend>
      <TextInput
        label={`Tranche ${i}: most units`}
        description={
          i === 0 && last > 0
            ? "Senior"
            : i === last && last > 0
              ? "Junior: takes the residual"
              : "GPU-hours"
        }
        inputMode="numeric"
        required
        value={tranche.unitCap}
        error={errors[`tranches.${i}.unit_cap`]}
        onChange={(event) => onChange({ unitCap: event.currentTarget.value })}
      />
      {i < last && (
        <TextInput
          label={`Tranche ${i}: coupon of a unit, ${symbol}`}
          description="Over the window, before juniors; blank is none"
          inputMode="decimal"
          placeholder="0.90"
          value={tranche.coupon}
          error={errors[`tranches.${i}.coupon_micros_per_unit`]}
          onChange={(event) => onChange({ coupon: event.currentTarget.value })}
        />
      )}
    </SimpleGrid>
  );
}

function HowMany({
  tranches,
  onChange,
}: {
  tranches: readonly TrancheFields[];
  onChange: (tranches: TrancheFields[]) => void;
}) {
  return (
    <Group gap="xs">
      <Button
        variant="default"
        size="xs"
        disabled={tranches.length === 1}
        onClick={() => onChange(tranches.slice(0, -1))}
      >
        Remove the last
      </Button>
      <Button
        variant="default"
        size="xs"
        disabled={tranches.length === MAX_TRANCHES}
        onClick={() => onChange([...tranches, { unitCap: "", coupon: "" }])}
      >
        Add a tranche
      </Button>
    </Group>
  );
}
