/** State of a small form that becomes one request: what was typed, what is wrong with it, and sending it. */

import { useState } from "react";
import { fieldErrors } from "./fieldErrors";
import { type TextKey, useFields } from "./useFields";
import type { Made } from "../leases/leaseForms";
import type { FieldErrors } from "../launch/offerForm";
import { useChange } from "../queries";

export function useChangeForm<Fields extends { [K in keyof Fields]: string }, Body>({
  initial,
  places,
  make,
  change,
  onDone,
}: {
  initial: () => Fields;
  /** The name that the service has for each field. */
  places: Record<keyof Fields, string>;
  make: (fields: Fields) => Made<Body>;
  change: (body: Body) => Promise<unknown>;
  onDone?: () => void;
}) {
  const { fields, setFields, input } = useFields(initial);
  const [wrong, setWrong] = useState<FieldErrors>({});
  const sending = useChange(change);
  const errors = { ...fieldErrors(sending.error, Object.values(places)), ...wrong };
  const submit = () => {
    sending.reset();
    const made = make(fields);
    setWrong(made.errors ?? {});
    if (made.body === null) return;
    sending.mutate(made.body, {
      onSuccess: () => {
        setFields(initial());
        onDone?.();
      },
    });
  };
  return {
    fields,
    /** Props of the input of a field. */
    input: <K extends TextKey<Fields>>(key: K) => input(key, errors[places[key]]),
    /** Props of the frame. */
    frame: { busy: sending.isPending, problem: errors[""], onSubmit: submit },
  };
}
