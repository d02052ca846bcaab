import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address } from "viem";
import { useContractAddress, useService } from "../../api/service";
import { parseAccount } from "../../chain/account";
import { trancheTokenAbi } from "../../chain/abis";
import { short } from "../../format/text";
import { SendButton } from "../../parts/SendButton";
import { type Live, type PortfolioData, claimOrder } from "./queries";

/** Takes all claimable revenue in one transaction, to the account itself or elsewhere. */
export function ClaimAll({
  account,
  data,
  live,
  claimable,
}: {
  account: Address;
  data: PortfolioData;
  live: Live | undefined;
  claimable: bigint;
}) {
  const token = useContractAddress("TrancheToken");
  const symbol = useService().settlement_token?.symbol ?? "";
  const [elsewhere, setElsewhere] = useState(false);
  const [text, setText] = useState("");
  const ids = claimOrder(data.positions, live);
  const to = elsewhere ? parseAccount(text) : account;
  const count = `${ids.length} ${ids.length === 1 ? "tranche" : "tranches"}`;

  if (data.positions.length === 0) return null;
  return (
    <Stack className="surface" p="md" gap="sm" align="flex-start">
      {elsewhere && (
        <TextInput
          label="Send the revenue to"
          description="It need not be on the allow-list: revenue is stablecoin, not units."
          placeholder="0x…"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={text !== "" && to === null ? "This is no address." : undefined}
          spellCheck={false}
          autoComplete="off"
          w="100%"
          maw={480}
        />
      )}
      <Group gap="sm" align="flex-start">
        <SendButton
          disabled={claimable === 0n || to === null}
          call={
            to === null
              ? null
              : {
                  address: token,
                  abi: trancheTokenAbi as unknown as Abi,
                  functionName: "claim",
                  args: [ids, to],
                  label: `Claim revenue of ${count}${elsewhere ? ` to ${short(to)}` : ""}`,
                }
          }
        >
          Claim all
        </SendButton>
        {(claimable > 0n || elsewhere) && (
          <Button variant="subtle" onClick={() => setElsewhere((on) => !on)}>
            {elsewhere ? "Send to my own account" : "Send elsewhere"}
          </Button>
        )}
      </Group>
      <Text size="sm" c="dimmed">
        {ids.length === 0
          ? "Nothing is claimable now. Revenue becomes claimable second by second after a settlement."
          : `Takes what is claimable of ${count} at the moment of its block, rounded down to the last ${symbol} micro. Claims are never paused and have no deadline.`}
      </Text>
    </Stack>
  );
}
