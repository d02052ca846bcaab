import { Group, Progress, Stack, Text } from "@mantine/core";
import { exactMoney, grouped, percentOfBps } from "../../../format/money";
import { Fact, Facts } from "../../../parts/Facts";
import { Info } from "../../../parts/Info";
import { Instant } from "../../../parts/Instant";
import type { Sale } from "./sale";

/** What a sale asks, until when, and how far it is from its floor. */
export function SaleTerms({ sale }: { sale: Sale }) {
  const reached = sale.soldUnits >= sale.floorUnits;
  const share = sale.floorUnits === 0 ? 100 : (100 * sale.soldUnits) / sale.floorUnits;
  return (
    <Stack gap="sm">
      <Facts>
        <Fact name="Price per GPU-hour (unit)">
          {exactMoney(sale.priceMicros)} {sale.token.symbol}
        </Fact>
        <Fact name="Units left of this tranche">{grouped(sale.unitsLeft)}</Fact>
        {sale.nowS < sale.opensAtS && (
          <Fact name="Opens">
            <Instant seconds={sale.opensAtS} />
          </Fact>
        )}
        <Fact name={sale.nowS < sale.closesAtS ? "Closes" : "Closed"}>
          <Instant seconds={sale.closesAtS} />
        </Fact>
        <Fact name="To the operator at success">{percentOfBps(sale.upFrontBps)} of proceeds</Fact>
      </Facts>
      <Stack gap={4}>
        <Group justify="space-between" gap="xs" wrap="nowrap">
          <Group gap={4} wrap="nowrap">
            <Text size="xs" fw={600} c="dimmed">
              Floor of the facility's sale
            </Text>
            <Info label="the floor">
              Units of all tranches of the facility that must be sold together before the sale
              closes. Below it, the sale fails, the facility is cancelled, and every buyer gets
              exactly the price back. The rest of the proceeds reaches the operator only in
              proportion to attested delivery.
            </Info>
          </Group>
          <Text size="xs" className="figures">
            {grouped(sale.soldUnits)} sold, floor {grouped(sale.floorUnits)}
          </Text>
        </Group>
        <Progress value={Math.min(100, share)} size="sm" aria-label="Units sold of the floor" />
        <Text size="xs" c="dimmed">
          {reached
            ? "Reached: the sale will come about, if the operator's bond is in place."
            : "Not reached yet. If it is missed, every buyer is refunded in full."}
        </Text>
      </Stack>
    </Stack>
  );
}
