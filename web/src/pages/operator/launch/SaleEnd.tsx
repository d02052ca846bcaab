import { Stack, Text } from "@mantine/core";
import { useNow } from "../../../api/clock";
import { money, grouped } from "../../../format/money";
import { SendButton } from "../../../parts/SendButton";
import type { ChainFacts, OwnSale } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";

const capsOf = (facts: ChainFacts) => facts.tranches.reduce((sum, t) => sum + t.capUnits, 0n);

/** How far a sale came, without a full stop. */
export function SoldUnits({ facts, sale }: { facts: ChainFacts; sale: OwnSale }) {
  return (
    <>
      {grouped(sale.soldUnits)} of {grouped(capsOf(facts))} units sold, {money(sale.countedMicros)}{" "}
      of the floor of {money(sale.floorMicros)} paid
    </>
  );
}

/** Ends a sale that is sold out or over. */
export function EndSale({
  facilityId,
  facts,
  sale,
}: {
  facilityId: number;
  facts: ChainFacts;
  sale: OwnSale;
}) {
  const call = useFacilityCall("PrimarySale", facilityId);
  const now = useNow();
  const cancelled = facts.state === "cancelled";
  const reached = sale.soldUnits > 0n && sale.countedMicros >= sale.floorMicros;
  const soldOut = sale.soldUnits === capsOf(facts);
  const over = cancelled || (soldOut && reached) || now >= sale.closesAtS;
  if (sale.state !== "open" || !over) return null;
  return (
    <Stack gap="xs" align="flex-start">
      <Text size="sm">
        {cancelled
          ? "The offer was cancelled or expired. Ending the sale closes its book, and buyers get their money back."
          : reached
            ? "The floor is reached. Ending the sale funds the facility; units that were not sold will never exist."
            : "The floor was missed. Ending the sale cancels the facility, and buyers get their money back."}
      </Text>
      <SendButton call={call("finalize", `End the sale of facility ${facilityId}`)}>
        End the sale
      </SendButton>
    </Stack>
  );
}
