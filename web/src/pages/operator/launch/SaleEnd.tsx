import { Stack, Text } from "@mantine/core";
import { useNow } from "../../../api/clock";
import { money, grouped } from "../../../format/money";
import { SendButton } from "../../../parts/SendButton";
import type { ChainFacts, OwnSale } from "../chainFacts";
import { quorumOf } from "./ApprovalStep";
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

/** What ending the sale does now. */
function endText({ state, approval }: ChainFacts, reached: boolean, pending: boolean): string {
  const back = "and buyers get their money back.";
  if (state === "cancelled") {
    return `The offer was cancelled or expired. Ending the sale closes its book, ${back}`;
  }
  if (!reached) return `The floor was missed. Ending the sale cancels the facility, ${back}`;
  if (pending) {
    return `The floor is reached. Ending the sale waits for approval of the devices by ${quorumOf(approval.panel)}; without it the sale fails when the window begins.`;
  }
  return approval.approvedAtS === null
    ? `The devices were not approved before the window began. Ending the sale cancels the facility, ${back}`
    : "The floor is reached. Ending the sale funds the facility; units that were not sold will never exist.";
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
  // From the window's start on a sale that nobody approved fails: before, ending it is refused.
  const pending =
    !cancelled && reached && facts.approval.approvedAtS === null && now < facts.windowStartS;
  const over = cancelled || (soldOut && reached) || now >= sale.closesAtS;
  if (sale.state !== "open" || !over) return null;
  return (
    <Stack gap="xs" align="flex-start">
      <Text size="sm">{endText(facts, reached, pending)}</Text>
      <SendButton
        disabled={pending}
        call={call("finalize", `End the sale of facility ${facilityId}`)}
      >
        End the sale
      </SendButton>
    </Stack>
  );
}
