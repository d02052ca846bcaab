import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Address, Hash } from "viem";
import { parseAccount, useEligibility } from "../../chain/account";
import { counted } from "../../format/money";
import { short } from "../../format/text";
import { nameInFacility } from "../../format/tranche";
import { Notice } from "../../parts/Notice";
import type { Held } from "./queries";
import { UnitsForm } from "./UnitsForm";

/** Sends units to another eligible account, which is checked before anything is signed. */
export function Transfer({
  account,
  held,
  onSent,
}: {
  account: Address;
  held: Held;
  onSent: (hash: Hash) => void;
}) {
  const [receiver, setReceiver] = useState("");
  const to = parseAccount(receiver);
  const check = useEligibility(to);
  const { token_id } = held.row;
  const self = to?.toLowerCase() === account.toLowerCase();
  return (
    <Stack gap="sm" align="stretch">
      <UnitsForm
        free={held.free}
        word="Send units"
        onSent={onSent}
        callOf={(units) =>
          to === null || self || check.data?.canReceive !== true
            ? null
            : {
                functionName: "safeTransferFrom",
                args: [account, to, BigInt(token_id), units, "0x"],
                label: `Send ${counted(units, "unit")} of ${nameInFacility(held.row)}, to ${short(to)}`,
              }
        }
      >
        <TextInput
          label="Receiver"
          placeholder="0x…"
          value={receiver}
          onChange={(event) => setReceiver(event.currentTarget.value)}
          error={
            receiver !== "" && to === null
              ? "This is no address, or a letter of it is wrong (checksum)."
              : self
                ? "This is your own account."
                : undefined
          }
          spellCheck={false}
          autoComplete="off"
          maw={480}
        />
        {to !== null && !self && check.data !== undefined && (
          <Notice tone={check.data.canReceive ? "good" : "warning"}>
            <span role="status">
              {check.data.canReceive
                ? `${short(to)} is on the allow-list of investors and may receive units.`
                : `${short(to)} may not receive units: it is not on the allow-list of investors, or its entry ended.`}
              {check.data.kind === "contract" &&
                " It is a contract: it must be able to hold ERC-1155 units."}
              {check.data.kind === "delegated" &&
                " Its key uses code (EIP-7702), which must be able to hold ERC-1155 units."}
            </span>
          </Notice>
        )}
      </UnitsForm>
      <Text size="sm" c="dimmed">
        What the units earned until then stays yours and claimable; what still streams goes with
        them. A transfer cannot be undone.
      </Text>
    </Stack>
  );
}
