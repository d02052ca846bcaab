import { Anchor, List, Stack, Text } from "@mantine/core";
import type { PanelFacts, SeatFacts } from "../../../chain/facts/attesters";
import { quorum, webAddress } from "../../../format/attesters";
import { percentOfBps } from "../../../format/money";
import { short } from "../../../format/text";
import { Account } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { type ChainFacts, useSeats } from "../chainFacts";
import type { StepState } from "./launchSteps";

/** How many of a panel must sign: `2 of 3 attesters`. */
export const quorumOf = ({ threshold, attesters }: PanelFacts): string =>
  quorum(threshold, attesters.length);

/** Step 3: attesters approve the pledged devices. Nothing of it is the operator's to do. */
export function ApprovalStep({ facts, state }: { facts: ChainFacts | null; state: StepState }) {
  if (facts === null || state === "later") {
    return (
      <Text size="sm" c="dimmed">
        Attesters check the devices: that all are there, in order, and none is pledged elsewhere at
        the same time. Without that the facility cannot be funded.
      </Text>
    );
  }
  const { panel, approvedAtS } = facts.approval;
  if (state === "done") {
    return (
      <Text size="sm" c="dimmed">
        Approved by panel {panel.number} of attesters
        {approvedAtS !== null && (
          <>
            {" "}
            <Instant seconds={approvedAtS} />
          </>
        )}
        .
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      <Text size="sm">
        Waits for approval by {quorumOf(panel)}, those of panel {panel.number}. They check by
        themselves that all devices are there, in order, and none is pledged elsewhere at the same
        time, and see the share of attesters: {percentOfBps(facts.attesterFeeBps)} of the protocol
        fee. Bond and units can be prepared meanwhile. Without approval the facility cannot be
        funded, and a sale fails <Instant seconds={facts.windowStartS} />.
      </Text>
      <Seats panel={panel} />
    </Stack>
  );
}

/** Who is asked, and where each one says why if it refuses. */
function Seats({ panel }: { panel: PanelFacts }) {
  const { data: seats } = useSeats(panel);
  if (seats === undefined) return null;
  return (
    <List size="sm" spacing={2} listStyleType="none" aria-label={`Panel ${panel.number}`}>
      {seats.map((seat) => (
        <List.Item key={seat.address}>
          <Account address={seat.address} copy={false} /> <Refusals seat={seat} />
        </List.Item>
      ))}
    </List>
  );
}

function Refusals({ seat: { counts, url } }: { seat: SeatFacts }) {
  const address = webAddress(url);
  return (
    <Text span size="sm" c="dimmed">
      {!counts && "cannot sign now: it left, or its bond is below the least; "}
      {address === null ? (
        "names no address for refusals"
      ) : (
        <>
          says at{" "}
          <Anchor href={address} rel="noopener noreferrer nofollow" target="_blank" inherit>
            {short(address, 40, 8)}
          </Anchor>{" "}
          why it refuses, if it does
        </>
      )}
    </Text>
  );
}
