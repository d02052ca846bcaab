import { Button, TextInput } from "@mantine/core";
import { grouped, parseUnits } from "../../format/money";

/** Why so many units cannot be taken from `free`; null if they can. */
export function problemWithFree(units: bigint | null, free: bigint): string | null {
  if (units === null) return "Enter a whole number of units, such as 1,200.";
  if (units === 0n) return "Choose at least one unit.";
  if (units <= free) return null;
  return free === 1n ? "Only 1 unit is free." : `Only ${grouped(free)} units are free.`;
}

/** Whole units up to what is free. */
export function UnitsInput({
  text,
  onText,
  free,
}: {
  text: string;
  onText: (text: string) => void;
  free: bigint;
}) {
  return (
    <TextInput
      label="Units (GPU-hours)"
      inputMode="numeric"
      autoComplete="off"
      value={text}
      onChange={(event) => onText(event.currentTarget.value)}
      error={text === "" ? undefined : problemWithFree(parseUnits(text), free)}
      rightSectionWidth={64}
      rightSection={
        <Button
          size="compact-sm"
          variant="subtle"
          disabled={free === 0n}
          onClick={() => onText(free.toString())}
          aria-label={`Max: ${grouped(free)} units`}
        >
          Max
        </Button>
      }
      maw={480}
    />
  );
}
