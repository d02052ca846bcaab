import { TextInput } from "@mantine/core";
import type { ReactNode } from "react";

/** Chooses one CSV file. */
export function FileField({
  label,
  description,
  error,
  required = false,
  onChoose,
}: {
  label: string;
  description: ReactNode;
  error: string | undefined;
  required?: boolean;
  onChoose: (file: File | null) => void;
}) {
  return (
    <TextInput
      type="file"
      accept=".csv,.tsv,.txt,.gz,text/csv"
      label={label}
      description={description}
      error={error}
      required={required}
      onChange={(event) => onChoose(event.currentTarget.files?.[0] ?? null)}
    />
  );
}
