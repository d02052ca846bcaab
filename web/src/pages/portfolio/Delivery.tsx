import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { type Hash, type Hex, zeroHash } from "viem";
import { counted } from "../../format/money";
import { Notice } from "../../parts/Notice";
import type { Held } from "./queries";
import { UnitsForm } from "./UnitsForm";

const OPEN_STATES = ["funded", "delivering"];

/** The on-chain hash of a lease that people pasted; null unless it is one. */
export function parseLeaseHash(text: string): Hex | null {
  const trimmed = text.trim().toLowerCase();
  return /^0x[0-9a-f]{64}$/.test(trimmed) && trimmed !== zeroHash ? (trimmed as Hex) : null;
}

/** Burns units for compute under a lease. */
export function Delivery({ held, onSent }: { held: Held; onSent: (hash: Hash) => void }) {
  const [reference, setReference] = useState("");
  const lease = parseLeaseHash(reference);
  const { token_id, facility_name, seniority, state } = held.row;

  if (!OPEN_STATES.includes(state)) {
    return (
      <Notice tone="info">
        Delivery is taken while a facility is funded or delivering. This one is {state}.
      </Notice>
    );
  }
  return (
    <Stack gap="sm" align="stretch">
      <Text size="sm" maw={640}>
        Each unit is one GPU-hour. Taking delivery burns units and gives a voucher: the operator
        owes you the compute inside the delivery window, and what stays unserved is paid from its
        bond. Burned units earn no more revenue; what they earned stays yours.
      </Text>
      <UnitsForm
        free={held.free}
        word="Burn units and take delivery"
        onSent={onSent}
        callOf={(units) =>
          lease === null
            ? null
            : {
                functionName: "takeDelivery",
                args: [BigInt(token_id), units, lease],
                label: `Take delivery of ${counted(units, "GPU-hour")} of ${facility_name}, tranche ${seniority}`,
              }
        }
      >
        <TextInput
          label="On-chain hash of your lease"
          description="First agree a lease with the operator, who gives you its hash. It is salted, so that nobody can guess renters from it; an id in plain text would not match. One lease delivers to one holder."
          placeholder="0x… (64 digits)"
          value={reference}
          onChange={(event) => setReference(event.currentTarget.value)}
          error={
            reference !== "" && lease === null
              ? "A lease hash is 0x and 64 hexadecimal digits, not all zero."
              : undefined
          }
          spellCheck={false}
          autoComplete="off"
          maw={640}
        />
      </UnitsForm>
    </Stack>
  );
}
