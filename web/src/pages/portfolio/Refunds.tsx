import { Box, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address, Hash } from "viem";
import { useContractAddress } from "../../api/service";
import { primarySaleAbi } from "../../chain/abis";
import { counted, exactMoney } from "../../format/money";
import { nameAmong } from "../../format/tranche";
import { Amount } from "../../parts/Amount";
import { Section } from "../../parts/Section";
import { SendButton } from "../../parts/SendButton";
import { TxState } from "../../parts/TxState";
import { TrancheLink } from "./TrancheLink";
import type { PortfolioData } from "./queries";

/** Units of sales that did not come about: their price comes back, exactly. */
export function Refunds({
  data,
  own,
  account,
}: {
  data: PortfolioData;
  own: boolean;
  account: Address;
}) {
  const sale = useContractAddress("PrimarySale");
  const [hash, setHash] = useState<Hash | null>(null);
  const rows = data.refundable;
  if (rows.length === 0 && hash === null) return null;
  const nameOf = (tokenId: string) => nameAmong(data.positions, tokenId);
  return (
    <Section
      title="Refunds"
      about="These sales missed their floor or could not be funded. The units are burned and exactly their price is paid back, whatever became of the account's entry on the allow-list. There is no deadline, and anybody may send the money home for somebody else."
    >
      {rows.length > 0 && (
        <Stack component="ul" aria-label="Refunds of failed sales" gap="sm" m={0} p={0}>
          {rows.map((row) => (
            <Group
              key={row.token_id}
              component="li"
              className="surface"
              p="md"
              gap="md"
              justify="space-between"
            >
              <Stack gap={2}>
                <Text size="sm" fw={600} component="div">
                  <TrancheLink tokenId={row.token_id} name={nameOf(row.token_id)} />
                </Text>
                <Text size="sm" component="div">
                  {own ? "You give" : "For"} {counted(row.units, "unit")}
                  {own ? " and get " : ", "}
                  <strong>
                    <Amount micros={row.amount_micros} digits={6} symbol />
                  </strong>
                  {own ? " back." : " comes back."}
                </Text>
              </Stack>
              <Box maw="100%">
                <SendButton
                  // The row goes away with the units: what became of it is shown below.
                  withState={false}
                  onSent={setHash}
                  call={{
                    address: sale,
                    abi: primarySaleAbi as unknown as Abi,
                    functionName: own ? "refund" : "refundTo",
                    args: own
                      ? [BigInt(row.token_id), BigInt(row.units), account]
                      : [account, BigInt(row.token_id)],
                    label: `Refund of ${counted(row.units, "unit")} of tranche ${row.token_id}: ${exactMoney(row.amount_micros)}`,
                  }}
                >
                  {own ? "Take refund" : "Send it to the buyer"}
                </SendButton>
              </Box>
            </Group>
          ))}
        </Stack>
      )}
      {hash !== null && <TxState hash={hash} />}
    </Section>
  );
}
