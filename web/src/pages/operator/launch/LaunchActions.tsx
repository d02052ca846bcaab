import { Anchor, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import type { RawCall } from "../../../chain/send";
import { grouped } from "../../../format/money";
import { trancheName } from "../../../format/tranche";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { quorumOf } from "./ApprovalStep";
import { MintUnits } from "./MintUnits";
import { OpenSale } from "./OpenSale";
import { OwnSend } from "../forms/OwnSend";
import { EndSale, SoldUnits } from "./SaleEnd";
import type { ChainFacts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";
import type { StepState, Way } from "./launchSteps";
import { useOffer } from "../queries";
import { sectionPath } from "../sections";

/** Step 2: the transaction that the service made, sent by the wallet. */
export function OfferStep({
  facilityId,
  account,
  state,
}: {
  facilityId: number;
  account: string;
  state: StepState;
}) {
  const query = useOffer(facilityId, state === "now");
  if (state === "done") {
    return (
      <Text size="sm" c="dimmed">
        The terms are in the register and can no longer change.
      </Text>
    );
  }
  return (
    <Loaded query={query} lines={1}>
      {(offer) => (
        <Stack gap="xs" align="flex-start">
          <Text size="sm">
            One transaction puts terms and pledge into the register. From then on they cannot be
            changed.
          </Text>
          <OwnSend
            gpuOperator={account}
            call={
              {
                to: offer.to,
                data: offer.data,
                label: `Offer facility ${facilityId}`,
              } as RawCall
            }
          >
            Offer on-chain
          </OwnSend>
        </Stack>
      )}
    </Loaded>
  );
}

function supplies(facts: ChainFacts): string {
  return facts.tranches
    .map(
      (t, i) =>
        `${trancheName(i, facts.tranches.length)}: ${grouped(t.supplyUnits)} of ${grouped(t.capUnits)}`,
    )
    .join(", ");
}

/** Step 5: a sale, or minting to holders. */
export function UnitsStep({
  facilityId,
  facts,
  state,
  way,
  onChoose,
}: {
  facilityId: number;
  facts: ChainFacts | null;
  state: StepState;
  way: Way | null;
  onChoose: (way: Way) => void;
}) {
  if (facts === null || state === "later") {
    return (
      <Text size="sm" c="dimmed">
        Sell units to investors at a fixed price, or mint them to holders with whom you agreed
        otherwise.
      </Text>
    );
  }
  const minted = facts.tranches.some((t) => t.supplyUnits > 0n);
  const open = facts.sale === null && facts.state === "offered";
  return (
    <Stack gap="md">
      {(state === "done" || minted) && (
        <Text size="sm" c={state === "done" ? "dimmed" : "inherit"}>
          {facts.sale === null ? "Minted: " : "Sold: "}
          {supplies(facts)}.
        </Text>
      )}
      {open && !minted && <WayChoice way={way} onChoose={onChoose} />}
      {open && way === "sale" && <OpenSale facilityId={facilityId} facts={facts} />}
      {open && way === "mint" && <MintUnits facts={facts} />}
    </Stack>
  );
}

const WAYS: readonly { way: Way; name: string; about: string }[] = [
  {
    way: "sale",
    name: "Open a sale",
    about:
      "Investors buy units for stablecoin at your price. If the floor is missed, they get their money back. Unsold units never exist: what would fall on them is yours.",
  },
  {
    way: "mint",
    name: "Mint to holders",
    about:
      "You send units to accounts on the allow-list, and were paid elsewhere. No sale follows.",
  },
];

function WayChoice({ way, onChoose }: { way: Way | null; onChoose: (way: Way) => void }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} role="group" aria-label="Sale or minting">
      {WAYS.map((choice) => (
        <Stack key={choice.way} className="surface" p="md" gap="xs" justify="space-between">
          <Text size="sm">{choice.about}</Text>
          <Group>
            <Button
              variant={way === choice.way ? "light" : "default"}
              aria-pressed={way === choice.way}
              onClick={() => onChoose(choice.way)}
            >
              {choice.name}
            </Button>
          </Group>
        </Stack>
      ))}
    </SimpleGrid>
  );
}

/** Step 6: the end of the sale, or funding what was minted. */
export function FundStep({
  facilityId,
  facts,
  state,
  way,
}: {
  facilityId: number;
  facts: ChainFacts | null;
  state: StepState;
  way: Way | null;
}) {
  const call = useFacilityCall("FacilityRegistry", facilityId);
  if (facts === null || state === "later") {
    return (
      <Text size="sm" c="dimmed">
        A funded facility takes rent, and delivers from the start of its window.
      </Text>
    );
  }
  if (state === "done") {
    return (
      <Text size="sm" c="dimmed">
        Funded. Next: open{" "}
        <Anchor component={Link} to={sectionPath(facilityId, "leases")} inherit underline="always">
          leases
        </Anchor>{" "}
        and send metering.
      </Text>
    );
  }
  if (way === "sale" && facts.sale !== null) {
    return (
      <Stack gap="xs">
        <Text size="sm">
          <SoldUnits facts={facts} sale={facts.sale} />. The sale ends when it is sold out with its
          floor reached, or <Instant seconds={facts.sale.closesAtS} />. Not funded by{" "}
          <Instant seconds={facts.expiresAtS} />, the offer expires.
        </Text>
        <EndSale facilityId={facilityId} facts={facts} sale={facts.sale} />
      </Stack>
    );
  }
  return (
    <Stack gap="xs" align="flex-start">
      <Text size="sm">
        Funding ends minting for good. Check that every holder has its units. The offer expires{" "}
        <Instant seconds={facts.expiresAtS} />.
      </Text>
      {state === "waiting" && (
        <Text size="sm">It waits for approval by {quorumOf(facts.approval.panel)}.</Text>
      )}
      <OwnSend
        gpuOperator={facts.gpuOperator}
        disabled={state === "waiting"}
        call={call("fund", `Fund facility ${facilityId}`)}
      >
        Fund the facility
      </OwnSend>
    </Stack>
  );
}
