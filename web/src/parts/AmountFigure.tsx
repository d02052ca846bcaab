import type { ComponentProps } from "react";
import { Amount } from "./Amount";
import { Figure } from "./Figure";

/** A figure that is money. */
export function AmountFigure({
  micros,
  digits = 2,
  ...figure
}: Omit<ComponentProps<typeof Figure>, "value"> &
  Pick<ComponentProps<typeof Amount>, "micros" | "digits">) {
  return <Figure {...figure} value={<Amount micros={micros} digits={digits} symbol />} />;
}
