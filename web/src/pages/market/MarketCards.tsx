import { Text } from "@mantine/core";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { Card, Cards } from "../../parts/Cards";
import { Coupon, Rank, State, Utilisation, Window, unitsLeft, windowLength } from "./cells";
import { type Row, useUnapproved } from "./queries";

/** Tranches on a narrow screen: nothing is cut off at the side. */
export function MarketCards({ rows }: { rows: readonly Row[] }) {
  const unapproved = useUnapproved(rows);
  return (
    <Cards label="Tranches">
      {rows.map((row) => (
        <Card
          key={row.token_id}
          title={row.facility_name}
          to={`/tranches/${row.token_id}`}
          under={
            <>
              <Rank row={row} /> · {row.operator.name}
            </>
          }
          status={<State row={row} unapproved={unapproved} />}
          about={
            <>
              <Text size="sm" mt={6} style={{ overflowWrap: "anywhere" }}>
                {row.gpu_class} · {row.site}
              </Text>
              <Text size="xs" c="dimmed">
                <Window row={row} /> ({windowLength(row)} on {grouped(row.device_count)} GPUs)
              </Text>
            </>
          }
          facts={[
            ["Price of a unit", <Amount micros={row.price_micros} />],
            [
              "Units left",
              <>
                {unitsLeft(row).left}{" "}
                <Text span size="xs" c="dimmed">
                  {unitsLeft(row).outOf}
                </Text>
              </>,
            ],
            ["Coupon", <Coupon row={row} />],
            ["Utilisation", <Utilisation row={row} />],
            ["Paid per unit", <Amount micros={row.paid_per_unit_micros} digits={4} />],
          ]}
        />
      ))}
    </Cards>
  );
}
