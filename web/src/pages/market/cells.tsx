/** What a row of the market says, for the table and for cards alike. */

import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { grouped, percentOfPpm } from "../../format/money";
import { sentenceCase } from "../../format/text";
import { duration, span } from "../../format/time";
import { trancheName } from "../../format/tranche";
import { Amount } from "../../parts/Amount";
import { Status } from "../../parts/Status";
import { Unknown } from "../../parts/Unknown";
import classes from "./Market.module.css";
import type { Row } from "./queries";

/** Two lines: what it is, and what qualifies it. */
export function Two({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <>
      <div className={classes.first}>{first}</div>
      <Text component="div" size="xs" c="dimmed">
        {second}
      </Text>
    </>
  );
}

export function Rank({ row }: { row: Row }) {
  return <>{sentenceCase(trancheName(row.seniority, row.tranche_count))}</>;
}

/** The state; of an offer whose devices attesters have not approved, that too. */
export function State({ row, unapproved }: { row: Row; unapproved: ReadonlySet<number> }) {
  return (
    <Stack gap={4} align="flex-start">
      <Status state={row.state} />
      {unapproved.has(row.facility_id) && (
        <Status state="" tone="warning">
          Devices not approved yet
        </Status>
      )}
    </Stack>
  );
}

export function Window({ row }: { row: Row }) {
  return <span className="figures">{span(row.window_start_s, row.window_end_s)}</span>;
}

export function windowLength(row: Row): string {
  return duration(row.window_end_s - row.window_start_s);
}

/** What the sale still has, and of how many; where nothing is on sale, how many there are. */
export function unitsLeft(row: Row): { left: string | null; outOf: string } {
  const all = grouped(row.unit_cap);
  return row.units_left === null
    ? { left: null, outOf: `${all} in all` }
    : { left: grouped(row.units_left), outOf: `of ${all}` };
}

/** Units left, in one cell. */
export function UnitsLeft({ row }: { row: Row }) {
  const { left, outOf } = unitsLeft(row);
  if (left !== null) return <Two first={left} second={outOf} />;
  return (
    <Text span size="xs" c="dimmed">
      {outOf}
    </Text>
  );
}

/** A coupon of nothing means: the last tranche, which takes what is left. */
export function Coupon({ row }: { row: Row }) {
  return row.coupon_micros_per_unit === 0 ? (
    <Text span c="dimmed" size="sm">
      remainder
    </Text>
  ) : (
    <Amount micros={row.coupon_micros_per_unit} />
  );
}

export function Utilisation({ row }: { row: Row }) {
  return row.utilisation_ppm === null ? <Unknown /> : <>{percentOfPpm(row.utilisation_ppm, 1)}</>;
}
