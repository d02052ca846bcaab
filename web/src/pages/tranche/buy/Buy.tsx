/** The card that sells units: the sale's terms, and the way through it for the connected wallet. */

import { Anchor, Group, Progress, Stack, Text, Title } from "@mantine/core";
import { useId } from "react";
import { Link } from "react-router";
import type { Abi } from "viem";
import { useContractAddress } from "../../../api/service";
import { primarySaleAbi } from "../../../chain/abis";
import { counted, exactMoney, grouped, percentOfBps } from "../../../format/money";
import { Info } from "../../../parts/Info";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { SendButton } from "../../../parts/SendButton";
import { Status, type Tone } from "../../../parts/Status";
import { Checkout } from "./Checkout";
import { Fact, Facts } from "../../../parts/Facts";
import { type Phase, type Sale, phaseOf, useSale } from "./sale";

const PHASES: Record<Exclude<Phase, "none">, [string, Tone]> = {
  early: ["Not open yet", "info"],
  open: ["Open", "good"],
  paused: ["Paused", "warning"],
  soldOut: ["Sold out", "quiet"],
  closed: ["Closed", "quiet"],
  succeeded: ["Ended", "quiet"],
  failed: ["Refunding", "bad"],
};

/** Buys units of a tranche in its primary sale, or says how else to get units. */
export function Buy({ tokenId }: { tokenId: string }) {
  const query = useSale(tokenId);
  const id = useId();
  const phase = query.data === undefined ? null : phaseOf(query.data);
  return (
    <Stack component="section" aria-labelledby={id} className="surface" p="md" gap="md" miw={0}>
      <Group justify="space-between" gap="xs">
        <Title order={2} size="h4" id={id}>
          {phase === "none" ? "Units" : "Buy units"}
        </Title>
        {phase !== null && phase !== "none" && (
          <Status state={phase} tone={PHASES[phase][1]}>
            {PHASES[phase][0]}
          </Status>
        )}
      </Group>
      <Loaded query={query} lines={6}>
        {(sale) =>
          sale === null ? (
            <Secondary>This tranche has no primary sale.</Secondary>
          ) : (
            <InSale tokenId={tokenId} sale={sale} phase={phaseOf(sale)} />
          )
        }
      </Loaded>
    </Stack>
  );
}

function InSale({ tokenId, sale, phase }: { tokenId: string; sale: Sale; phase: Phase }) {
  switch (phase) {
    case "none":
      return <Secondary>This tranche has no primary sale.</Secondary>;
    case "succeeded":
      return (
        <Secondary>
          The primary sale ended well: {counted(sale.soldUnits, "unit")} of the facility sold, and
          what was left stayed with the operator.
        </Secondary>
      );
    case "failed":
      return (
        <Stack gap="sm">
          <Text size="sm">
            The sale did not come about: {counted(sale.soldUnits, "unit")} sold and not refunded
            yet; at least {grouped(sale.floorUnits)} had to be, in time and with the operator's bond
            in place. The facility is cancelled.
          </Text>
          <Text size="sm">
            Every buyer gets exactly the price back for the units. Refunds have no deadline and are
            taken in the{" "}
            <Anchor component={Link} to="/portfolio" underline="always">
              portfolio
            </Anchor>
            .
          </Text>
        </Stack>
      );
    default:
      return (
        <Stack gap="md">
          <Terms sale={sale} />
          {phase === "closed" || phase === "soldOut" ? (
            <Ending sale={sale} phase={phase} />
          ) : (
            <Checkout tokenId={tokenId} sale={sale} phase={phase} />
          )}
        </Stack>
      );
  }
}

function Terms({ sale }: { sale: Sale }) {
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

function Ending({ sale, phase }: { sale: Sale; phase: "closed" | "soldOut" }) {
  const address = useContractAddress("PrimarySale");

  return (
    <Stack gap="sm">
      <Notice tone="info">
        {phase === "soldOut"
          ? "All units of this tranche are sold. Units of other tranches of the facility may be left."
          : sale.soldUnits >= sale.floorUnits
            ? "The sale takes no more orders. It has to be ended by somebody; then the facility is funded."
            : "The sale takes no more orders, and its floor was missed. It has to be ended by somebody; then buyers are refunded."}
      </Notice>
      {phase === "closed" && (
        <>
          <SendButton
            variant="default"
            fullWidth
            call={{
              address,
              abi: primarySaleAbi as unknown as Abi,
              functionName: "finalize",
              args: [sale.facilityId],
              label: `End the sale of facility ${sale.facilityId}`,
            }}
          >
            End the sale
          </SendButton>
          <Text size="xs" c="dimmed">
            Anybody may end it; it costs gas alone.
          </Text>
        </>
      )}
    </Stack>
  );
}

function Secondary({ children }: { children: React.ReactNode }) {
  return (
    <Stack gap="sm">
      <Text size="sm">{children}</Text>
      <Text size="sm">
        Units now change hands between holders: an eligible account sends them to another one
        (ERC-1155 transfer), at a price the two agree on themselves. There is no order book here.
      </Text>
      <Text size="sm" c="dimmed">
        Both accounts must be on the allow-list of investors. Holders send units from their{" "}
        <Anchor component={Link} to="/portfolio" underline="always">
          portfolio
        </Anchor>
        ; revenue earned before the transfer stays with the sender.
      </Text>
    </Stack>
  );
}
