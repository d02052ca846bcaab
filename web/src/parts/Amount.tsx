import { useService } from "../api/service";
import { type Micros, exactMoney, money } from "../format/money";
import { Unknown } from "./Unknown";

/** Money of the settlement token, cut to `digits` decimals; the last digit shows on pointing at it. */
export function Amount({
  micros,
  digits = 2,
  symbol = false,
}: {
  micros: Micros | null | undefined;
  digits?: number;
  symbol?: boolean;
}) {
  const token = useService().settlement_token;
  if (micros === null || micros === undefined) return <Unknown />;
  const name = token?.symbol ?? "";
  return (
    <span className="figures" title={`${exactMoney(micros)} ${name}`.trim()}>
      {money(micros, digits)}
      {symbol && name !== "" ? ` ${name}` : ""}
    </span>
  );
}
