import { Group, Stack, Text } from "@mantine/core";
import type { Address } from "viem";
import { rentLockboxAbi } from "../../../chain/abis";
import { percentOfBps } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { AmountFigure } from "../../../parts/AmountFigure";
import { Figures } from "../../../parts/Figure";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { SendButton } from "../../../parts/SendButton";
import { Status } from "../../../parts/Status";
import { Offered } from "../launch/Offered";
import { OwnSend } from "../forms/OwnSend";
import { EndSale, SoldUnits } from "../launch/SaleEnd";
import { type ChainFacts, type OwnSale, useContracts, useOwed } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";

/** What the sale earned, and what is there to withdraw. */
export function Proceeds({ facilityId, account }: { facilityId: number; account: string }) {
  const deployed = useContracts() !== null;
  if (!deployed) return <Empty title="Nothing is deployed">There is no chain to read.</Empty>;
  return (
    <Offered facilityId={facilityId} none="No proceeds yet">
      {(facts) => (
        <>
          <Section
            title="Sale"
            about="Part of the proceeds is yours at once, the rest as attested delivery earns it."
          >
            {facts.sale === null ? (
              <Empty title="No sale">
                Units of this facility are not sold here, so there are no proceeds.
              </Empty>
            ) : (
              <Sale facilityId={facilityId} facts={facts} sale={facts.sale} />
            )}
          </Section>
          <Withdraw token={facts.token} account={account} />
        </>
      )}
    </Offered>
  );
}

const SALE_WORDS = { open: "Open", successful: "Succeeded", refunding: "Failed" } as const;

function Sale({
  facilityId,
  facts,
  sale,
}: {
  facilityId: number;
  facts: ChainFacts;
  sale: OwnSale;
}) {
  const call = useFacilityCall("PrimarySale", facilityId);
  return (
    <Stack gap="md">
      <Group gap="sm">
        <Status state={sale.state}>{SALE_WORDS[sale.state]}</Status>
        <Text size="sm">
          <SoldUnits facts={facts} sale={sale} />. Open from <Instant seconds={sale.opensAtS} /> to{" "}
          <Instant seconds={sale.closesAtS} />.
        </Text>
      </Group>
      <Figures>
        <AmountFigure name="Proceeds" micros={sale.proceedsMicros} about="paid by buyers" />
        <AmountFigure
          name="Released"
          micros={sale.releasedMicros}
          about={`${percentOfBps(sale.upFrontBps)} up front, the rest with delivery`}
        />
        <AmountFigure
          name="Releasable now"
          micros={sale.releasableMicros}
          about="earned, not released yet"
        />
        <AmountFigure
          name="To the closing"
          micros={sale.returnedMicros}
          about="what was not released"
        />
      </Figures>
      <EndSale facilityId={facilityId} facts={facts} sale={sale} />
      {sale.releasableMicros > 0n && (
        <Group>
          <SendButton call={call("release", `Release proceeds of facility ${facilityId}`)}>
            Release to my account
          </SendButton>
        </Group>
      )}
    </Stack>
  );
}

const SOURCES = {
  PrimarySale: "Sale proceeds",
  BondVault: "Released bonds",
  AttesterRegistry: "What attesters lost for faults that you proved",
  AttesterDesk: "What you earned as an attester",
  RentLockbox: "Rent of unsold units, and what a closing left you",
} as const;

function Withdraw({ token, account }: { token: Address; account: string }) {
  const query = useOwed(token, account as Address);
  const contracts = useContracts();
  return (
    <Section
      title="Yours to withdraw"
      about="Of all your facilities with this stablecoin. Nothing is ever sent by itself: you take it, whenever you like."
    >
      <Loaded query={query} lines={3}>
        {(owed) => (
          <DataTable
            caption="Amounts to withdraw"
            rows={owed}
            rowKey={(row) => row.name}
            columns={[
              { head: "From", rowHead: true, cell: (row) => SOURCES[row.name] },
              {
                head: "Amount",
                number: true,
                cell: (row) => <Amount micros={row.owedMicros} symbol />,
              },
              {
                head: "Withdraw",
                cell: (row) =>
                  row.owedMicros > 0n && contracts !== null ? (
                    <OwnSend
                      gpuOperator={account}
                      variant="default"
                      call={{
                        address: contracts[row.name],
                        abi: rentLockboxAbi,
                        functionName: "withdraw",
                        args: [token, account],
                        label: `Withdraw: ${SOURCES[row.name].toLowerCase()}`,
                      }}
                    >
                      Withdraw
                    </OwnSend>
                  ) : (
                    <Text size="sm" c="dimmed">
                      nothing
                    </Text>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}
