import { Checkbox, NativeSelect, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { ApiProblem } from "../../../api/client";
import { ChangeForm } from "../forms/ChangeForm";
import { fieldErrors } from "../forms/fieldErrors";
import type { FieldErrors } from "../launch/offerForm";
import { useMakeKey } from "./keyQueries";
import { type KeyFields, LIVES, SCOPES, type Scope, keyBody, refusedText } from "./keyTexts";
import { Secret } from "./Secret";

const PLACES = ["name", "scopes", "expires_at"];
const INITIAL: KeyFields = { name: "", scopes: ["events:write"], days: "" };

function errorsOf(error: unknown): FieldErrors {
  if (!(error instanceof ApiProblem) || error.reason === null) return fieldErrors(error, PLACES);
  return { [error.field ?? ""]: refusedText(error) };
}

/** Makes a key and shows it, once. */
export function MakeKey({ onDone }: { onDone: () => void }) {
  const [fields, setFields] = useState(INITIAL);
  const [wrong, setWrong] = useState<FieldErrors>({});
  const making = useMakeKey();
  if (making.data !== undefined) return <Secret text={making.data.api_key} onDone={onDone} />;
  const errors = { ...errorsOf(making.error), ...wrong };
  const submit = () => {
    making.reset();
    // The wall clock: a demo's chain may live in another year.
    const made = keyBody(fields, Math.floor(Date.now() / 1_000));
    setWrong(made.errors ?? {});
    if (made.body !== null) making.mutate(made.body);
  };
  return (
    <ChangeForm
      submit="Make the key"
      busy={making.isPending}
      problem={errors[""]}
      onSubmit={submit}
      onCancel={onDone}
    >
      <TextInput
        label="Name"
        description="What uses it, such as collector-oslo"
        required
        maxLength={80}
        data-autofocus
        value={fields.name}
        error={errors["name"]}
        onChange={(event) => setFields({ ...fields, name: event.currentTarget.value })}
      />
      <Checkbox.Group
        label="What it may do"
        description="No more than it needs"
        required
        value={[...fields.scopes]}
        error={errors["scopes"]}
        onChange={(scopes) => setFields({ ...fields, scopes: scopes as Scope[] })}
      >
        <Stack gap="xs" mt="xs">
          {SCOPES.map(({ value, label, about }) => (
            <Checkbox key={value} value={value} label={label} description={about} />
          ))}
        </Stack>
      </Checkbox.Group>
      <NativeSelect
        label="Works for"
        data={[...LIVES]}
        value={fields.days}
        error={errors["expires_at"]}
        onChange={(event) => setFields({ ...fields, days: event.currentTarget.value })}
      />
    </ChangeForm>
  );
}
