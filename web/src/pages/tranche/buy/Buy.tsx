/** The card that sells units: the sale's terms, and the way through it for the connected wallet. */

import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { useId, useState } from "react";
import { Link } from "react-router";
import type { Abi } from "viem";
import { useContractAddress } from "../../../api/service";
import { primarySaleAbi } from "../../../chain/abis";
import { counted, money } from "../../../format/money";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { SendButton } from "../../../parts/SendButton";
import { Status, type Tone } from "../../../parts/Status";
import { Checkout } from "./Checkout";
import { type Purchase, Receipt } from "./Receipt";
import { SaleTerms } from "./SaleTerms";
import { type Phase, type Sale, endOf, phaseOf, unapproved, useSale } from "./sale";

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
  // Kept here: whoever buys the last units ends the sale, and what was bought must not go away with its form.
  const [bought, setBought] = useState<Purchase | null>(null);
  const [again, setAgain] = useState(false);
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
          ) : bought !== null ? (
            // The form is gone until somebody asks for it again, so that no second press buys again.
            <Receipt
              purchase={bought}
              symbol={sale.token.symbol}
              onAgain={() => {
                setAgain(true);
                setBought(null);
              }}
            />
          ) : (
            <InSale
              tokenId={tokenId}
              sale={sale}
              phase={phaseOf(sale)}
              again={again}
              onBought={setBought}
            />
          )
        }
      </Loaded>
    </Stack>
  );
}

function InSale({
  tokenId,
  sale,
  phase,
  again,
  onBought,
}: {
  tokenId: string;
  sale: Sale;
  phase: Phase;
  /** Whether the form comes after a receipt. */
  again: boolean;
  onBought: (purchase: Purchase) => void;
}) {
  switch (phase) {
    case "none":
      return <Secondary>This tranche has no primary sale.</Secondary>;
    case "succeeded":
      return (
        <Secondary>
          The primary sale ended well: {counted(sale.soldUnits, "unit")} of the facility sold. Units
          that were not sold never came to be; what would fall on them is the operator's.
        </Secondary>
      );
    case "failed":
      return (
        <Stack gap="sm">
          <Text size="sm">
            The sale did not come about: buyers paid {money(sale.countedMicros)} of the floor of{" "}
            {money(sale.floorMicros)} {sale.token.symbol}, which had to be reached in time, with the
            operator's bond in place and the devices approved by attesters. The facility is
            cancelled; {counted(sale.soldUnits, "unit")} wait for their refund.
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
    case "closed":
    case "soldOut":
      return (
        <Stack gap="md">
          <SaleTerms sale={sale} />
          <Ending sale={sale} phase={phase} />
        </Stack>
      );
    default:
      // What is paid and what comes back stands first, with the button in view.
      return (
        <Stack gap="md">
          <Checkout tokenId={tokenId} sale={sale} phase={phase} again={again} onBought={onBought} />
          <SaleTerms sale={sale} />
        </Stack>
      );
  }
}

function Ending({ sale, phase }: { sale: Sale; phase: "closed" | "soldOut" }) {
  const address = useContractAddress("PrimarySale");
  const end = endOf(sale);
  const pending = unapproved(sale);
  return (
    <Stack gap="sm">
      <Notice tone="info">
        {phase === "soldOut"
          ? "All units of this tranche are sold. Units of other tranches of the facility may be left."
          : end.words}
      </Notice>
      {phase === "soldOut" && pending !== null && <Notice tone="warning">{pending}</Notice>}
      {phase === "closed" && (
        <>
          <SendButton
            variant="default"
            fullWidth
            disabled={!end.possible}
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
