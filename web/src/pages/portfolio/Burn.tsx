import { Stack, Text } from "@mantine/core";
import type { Hash } from "viem";
import { counted } from "../../format/money";
import { nameInFacility } from "../../format/tranche";
import type { Held } from "./queries";
import { UnitsForm } from "./UnitsForm";

/** Burns units of an offer that was cancelled. */
export function Burn({ held, onSent }: { held: Held; onSent: (hash: Hash) => void }) {
  const { token_id } = held.row;
  return (
    <Stack gap="sm" align="stretch">
      <Text size="sm" maw={640}>
        The offer was cancelled without a sale: its units had no price and earn nothing. Burning
        takes them out of your account, and nothing is paid for it. It cannot be undone.
      </Text>
      <UnitsForm
        free={held.free}
        word="Burn expired units"
        onSent={onSent}
        callOf={(units) => ({
          functionName: "burnExpired",
          args: [BigInt(token_id), units],
          label: `Burn ${counted(units, "expired unit")} of ${nameInFacility(held.row)}`,
        })}
      />
    </Stack>
  );
}
