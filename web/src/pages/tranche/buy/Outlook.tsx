/** What can come back of a purchase, before anything is paid. */

import { Text } from "@mantine/core";
import { exactMoney } from "../../../format/money";
import { date, instant } from "../../../format/time";
import { Fact, Facts } from "../../../parts/Facts";
import { Notice } from "../../../parts/Notice";
import {
  type Deal,
  certainLossOf,
  couponOf,
  defaultText,
  evenAfter,
  rentToBeEven,
  scheduleOf,
} from "./deal";

/** Lines beside what is paid: the most that comes back, and when the price is back. */
export function OutlookFacts({
  deal,
  units,
  symbol,
}: {
  deal: Deal;
  /** Null while no whole number was entered. */
  units: bigint | null;
  symbol: string;
}) {
  const coupon = couponOf(deal);
  const even = evenAfter(deal);
  const rent = rentToBeEven(deal);
  return (
    <>
      <Fact name="Most that can come back" strong>
        {units === null
          ? ""
          : coupon === null
            ? "no fixed most"
            : `at most ${exactMoney(units * coupon)} ${symbol}`}
      </Fact>
      <Fact name="You are even">
        {even !== null
          ? `after ${even.epochs} of ${deal.epochs} epochs whose coupon is paid, ${date(even.endS)} at the earliest`
          : rent !== null
            ? `at ${exactMoney(rent.perHourMicros)} ${symbol} of rent for each promised GPU-hour, ${exactMoney(rent.micros)} in all`
            : "never"}
      </Fact>
    </>
  );
}

/** A price that no delivery pays back, the schedule, and what a default does. */
export function Outlook({
  deal,
  units,
  symbol,
}: {
  deal: Deal;
  units: bigint | null;
  symbol: string;
}) {
  const loss = certainLossOf(deal);
  return (
    <>
      {loss > 0n && (
        <Notice tone="bad" alert>
          A unit costs {exactMoney(deal.priceMicros)} {symbol} and is never paid more than its
          coupon of {exactMoney(couponOf(deal) ?? 0n)}: whoever buys it loses at least{" "}
          {exactMoney(loss)} for certain.
        </Notice>
      )}
      <Schedule deal={deal} units={units ?? 1n} symbol={symbol} />
      <Text size="xs" c="dimmed">
        {defaultText(deal, symbol)}
      </Text>
    </>
  );
}

function Schedule({ deal, units, symbol }: { deal: Deal; units: bigint; symbol: string }) {
  const due = scheduleOf(deal, units);
  if (due.length === 0) {
    return (
      <Text size="xs" c="dimmed">
        Each epoch pays what is left after fees and the coupons of tranches before this one, once
        its statement is final and its rent is collected. It then streams to units.
      </Text>
    );
  }
  return (
    <details>
      <summary>
        <Text span size="sm">
          When the coupon falls due
        </Text>
      </summary>
      <Facts>
        {due.map(({ epochs, endS, micros }) => (
          <Fact key={epochs} name={<span title={instant(endS)}>By {date(endS)}</span>}>
            {exactMoney(micros)} {symbol}
          </Fact>
        ))}
      </Facts>
      <Text size="xs" c="dimmed" mt={4}>
        In equal parts, one an epoch. Each is paid once its statement is final and its rent is
        collected, and then streams to units; what is not paid stays in arrears.
      </Text>
    </details>
  );
}
