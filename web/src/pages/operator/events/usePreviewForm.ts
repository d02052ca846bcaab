/** State of a form whose change is shown before it is made: typed, shown, made. */

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { fieldErrors } from "../forms/fieldErrors";
import { type TextKey, useFields } from "../forms/useFields";
import type { FieldErrors } from "../launch/offerForm";
import type { Made } from "../leases/leaseForms";
import { useChange } from "../queries";
import type { Preview } from "./previewText";

export function usePreviewForm<Fields extends { [K in keyof Fields]: string }, Body>({
  initial,
  places,
  make,
  look,
  change,
  onDone,
}: {
  initial: () => Fields;
  /** The name that the service has for each field. */
  places: Record<keyof Fields, string>;
  make: (fields: Fields) => Made<Body>;
  /** What the change would do. */
  look: (body: Body) => Promise<Preview>;
  change: (body: Body) => Promise<unknown>;
  onDone: () => void;
}) {
  const { fields, input } = useFields(initial);
  const [wrong, setWrong] = useState<FieldErrors>({});
  const looking = useMutation({ mutationFn: look });
  const sending = useChange(change);
  const names = Object.values<string>(places);
  const errors = { ...fieldErrors(looking.error, names), ...wrong };
  const show = () => {
    looking.reset();
    sending.reset();
    const made = make(fields);
    setWrong(made.errors ?? {});
    if (made.body !== null) looking.mutate(made.body);
  };
  const shown = looking.variables;
  return {
    fields,
    input: <K extends TextKey<Fields>>(key: K) => input(key, errors[places[key]]),
    frame: {
      busy: looking.isPending,
      problem: errors[""],
      onShow: show,
      preview: looking.data,
      sending: sending.isPending,
      failure: fieldErrors(sending.error, [])[""],
      onBack: () => {
        looking.reset();
        sending.reset();
      },
      // Exactly what was shown, under its own id: pressed twice, it is one event.
      onConfirm: () => shown !== undefined && sending.mutate(shown, { onSuccess: onDone }),
    },
  };
}
