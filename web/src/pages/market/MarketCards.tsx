import { Anchor, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { Status } from "../../parts/Status";
import { Coupon, Rank, Utilisation, Window, unitsLeft, windowLength } from "./cells";
import classes from "./Market.module.css";
import type { Row } from "./queries";

/** Tranches on a narrow screen: nothing is cut off at the side. */
export function MarketCards({ rows }: { rows: readonly Row[] }) {
  return (
    <ul className={classes.cards} aria-label="Tranches">
      {rows.map((row) => (
        <li key={row.token_id} className={`surface ${classes.card ?? ""}`}>
          <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
            <Stack gap={0} miw={0}>
              <Anchor
                component={Link}
                to={`/tranches/${row.token_id}`}
                fw={600}
                style={{ overflowWrap: "anywhere" }}
              >
                {row.facility_name}
              </Anchor>
              <Text size="xs" c="dimmed">
                <Rank seniority={row.seniority} /> · {row.operator.name}
              </Text>
            </Stack>
            <Status state={row.state} />
          </Group>
          <Text size="sm" mt={6} style={{ overflowWrap: "anywhere" }}>
            {row.gpu_class} · {row.site}
          </Text>
          <Text size="xs" c="dimmed">
            <Window row={row} /> ({windowLength(row)} on {grouped(row.device_count)} GPUs)
          </Text>
          <dl className={classes.facts}>
            <Fact name="Price per GPU-hour" value={<Amount micros={row.price_micros} />} />
            <Fact
              name="Units left"
              value={
                <>
                  {unitsLeft(row).left}{" "}
                  <Text span size="xs" c="dimmed">
                    {unitsLeft(row).outOf}
                  </Text>
                </>
              }
            />
            <Fact name="Coupon" value={<Coupon row={row} />} />
            <Fact name="Utilisation" value={<Utilisation row={row} />} />
            <Fact
              name="Paid per unit"
              value={<Amount micros={row.paid_per_unit_micros} digits={4} />}
            />
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Fact({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="figures">{value}</dd>
    </div>
  );
}
