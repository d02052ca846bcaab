/** State of the texts of a form, and the props that tie an input to one of them. */

import { useState } from "react";

/** Keys of the fields that are texts: a form may hold lists beside them. */
export type TextKey<Fields> = {
  [K in keyof Fields]: Fields[K] extends string ? K : never;
}[keyof Fields];

export function useFields<Fields>(initial: () => Fields) {
  const [fields, setFields] = useState(initial);
  const change = (part: Partial<Fields>) => setFields((before) => ({ ...before, ...part }));
  /** Props of the input of a text. */
  const input = <K extends TextKey<Fields>>(key: K, error?: string) => ({
    value: fields[key],
    error,
    onChange: (event: { currentTarget: { value: string } }) => {
      // Read now: by the time the state changes, the event has no target.
      const { value } = event.currentTarget;
      setFields((before) => ({ ...before, [key]: value }));
    },
  });
  return { fields, setFields, change, input };
}
