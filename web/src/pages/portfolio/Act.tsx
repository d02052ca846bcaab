import { Box, NativeSelect, SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import type { Address, Hash } from "viem";
import { counted } from "../../format/money";
import { nameInFacility } from "../../format/tranche";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { TxState } from "../../parts/TxState";
import { Burn } from "./Burn";
import { Delivery } from "./Delivery";
import { Transfer } from "./Transfer";
import type { Held, Live, PositionRow } from "./queries";

function heldOf(rows: readonly PositionRow[], live: Live | undefined): Held[] {
  return rows
    .map((row) => {
      const at = live?.positions.get(row.token_id);
      const units = at?.units ?? BigInt(row.units);
      const free = units - BigInt(row.frozen_units);
      return { row, free: free > 0n ? free : 0n, live: at };
    })
    .filter((held) => held.row.units > 0);
}

/** What a holder does with units: sends them, takes their compute, or burns those of a cancelled offer. */
export function Act({
  account,
  rows,
  live,
}: {
  account: Address;
  rows: PositionRow[];
  live: Live | undefined;
}) {
  const held = heldOf(rows, live);
  const [asked, setAsked] = useState("send");
  // Kept here: with its last unit a position goes away, and what became of the transaction must not.
  const [hash, setHash] = useState<Hash | null>(null);
  const [chosen, setChosen] = useState(held[0]?.row.token_id ?? "");
  const position = held.find((h) => h.row.token_id === chosen) ?? held[0];
  if (position === undefined && hash === null) return null;
  const expired = position?.live?.expired === true;
  const other = expired
    ? { value: "burn", label: "Burn expired units" }
    : { value: "deliver", label: "Take delivery" };
  const kind = asked === "send" ? "send" : other.value;
  return (
    <Section
      title="Use units"
      about="Send units to another investor, or burn them: for the compute that they stand for, or because their offer was cancelled."
    >
      {position !== undefined && (
        <Stack className="surface" p="md" gap="md" align="stretch">
          <SegmentedControl
            aria-label="What to do"
            value={kind}
            onChange={setAsked}
            data={[{ value: "send", label: "Send units" }, other]}
            w="fit-content"
            maw="100%"
          />
          <NativeSelect
            label="Position"
            value={position.row.token_id}
            onChange={(event) => setChosen(event.currentTarget.value)}
            data={held.map(({ row, free }) => ({
              value: row.token_id,
              label: `${nameInFacility(row)} (${counted(free, "unit")} free)`,
            }))}
            maw={480}
          />
          <Box maw={640}>
            <Chosen
              key={position.row.token_id}
              kind={kind}
              account={account}
              held={position}
              onSent={setHash}
            />
          </Box>
        </Stack>
      )}
      {hash !== null && <TxState hash={hash} />}
    </Section>
  );
}

function Chosen({
  kind,
  account,
  held,
  onSent,
}: {
  kind: string;
  account: Address;
  held: Held;
  onSent: (hash: Hash) => void;
}) {
  if (kind === "send" && !held.row.movable) {
    return (
      <Notice tone="info">
        Units of this tranche cannot be sent: they move from the moment in which the facility is
        funded, and never if it was cancelled.
      </Notice>
    );
  }
  if (kind === "send") return <Transfer account={account} held={held} onSent={onSent} />;
  if (kind === "burn") return <Burn held={held} onSent={onSent} />;
  return <Delivery account={account} held={held} onSent={onSent} />;
}
