import { Group, Progress, Stack, Text } from "@mantine/core";
import { exactMoney, grouped, money, percentOfBps } from "../../../format/money";
import { Fact, Facts } from "../../../parts/Facts";
import { Info } from "../../../parts/Info";
import { Instant } from "../../../parts/Instant";
import { type Sale, floorReached } from "./sale";

/** What a sale asks, until when, and how far it is from its floor. */
export function SaleTerms({ sale }: { sale: Sale }) {
  return (
    <Stack gap="sm">
      <Facts>
        <Fact name="Price of a unit">
          {exactMoney(sale.priceMicros)} {sale.token.symbol}
        </Fact>
        <Fact name="Units left of this tranche">{grouped(sale.unitsLeft)}</Fact>
        {sale.nowS < sale.opensAtS && (
          <Fact name="Opens">
            <Instant seconds={sale.opensAtS} />
          </Fact>
        )}
        <Fact name="Devices approved by attesters">
          {sale.approval.approvedAtS === null ? (
            "not yet"
          ) : (
            <Instant seconds={sale.approval.approvedAtS} />
          )}
        </Fact>
        <Fact name={sale.nowS < sale.closesAtS ? "Closes" : "Closed"}>
          <Instant seconds={sale.closesAtS} />
        </Fact>
        <Fact name="To the operator when the window begins">
          {percentOfBps(sale.upFrontBps)} of proceeds
        </Fact>
        <Fact
          name={
            <>
              A missing GPU-hour costs the operator{" "}
              <Info label="the price of a missing GPU-hour">
                What the bond's terms charge, at the closing, for every GPU-hour that was promised
                and not delivered. If that is more than the rent that an hour is let for, a default
                would pay holders more than performance.
              </Info>
            </>
          }
        >
          {exactMoney(sale.deal.rateMicros)} {sale.token.symbol}
        </Fact>
      </Facts>
      <Floor sale={sale} />
    </Stack>
  );
}

/** Whether the sale comes about as it stands. */
function outlookOf(sale: Sale): string {
  if (!floorReached(sale))
    return "Not reached yet. If it is missed, every buyer is refunded in full.";
  return sale.approval.approvedAtS === null
    ? "Reached: the sale will come about, if attesters approve the devices and the operator's bond is in place."
    : "Reached: the sale will come about, if the operator's bond is in place.";
}

/** How far the sale is from its floor. */
function Floor({ sale }: { sale: Sale }) {
  // Whole percents are enough for a bar.
  const share =
    sale.floorMicros === 0n ? 100 : Number((100n * sale.countedMicros) / sale.floorMicros);
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Group gap={4} wrap="nowrap">
          <Text size="xs" fw={600} c="dimmed">
            Floor of the facility's sale
          </Text>
          <Info label="the floor">
            Money that buyers other than the operator must pay together, for all tranches of the
            facility, before the sale closes. Below it, the sale fails, the facility is cancelled,
            and every buyer gets exactly the price back. Nothing reaches the operator before the
            window begins; then its part up front, and the rest only in proportion to attested
            delivery.
          </Info>
        </Group>
        <Text size="xs" className="figures">
          {money(sale.countedMicros)} of {money(sale.floorMicros)} {sale.token.symbol}
        </Text>
      </Group>
      <Progress value={Math.min(100, share)} size="sm" aria-label="Money paid of the floor" />
      <Text size="xs" c="dimmed">
        {outlookOf(sale)}
      </Text>
    </Stack>
  );
}
