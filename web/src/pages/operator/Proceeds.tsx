import { Group, Stack, Text } from "@mantine/core";
import type { Address } from "viem";
import { useContractAddress } from "../../api/service";
import { useNow } from "../../api/clock";
import { primarySaleAbi, rentLockboxAbi } from "../../chain/abis";
import { grouped, percentOfBps } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Figure, Figures } from "../../parts/Figure";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Section } from "../../parts/Section";
import { SendButton } from "../../parts/SendButton";
import { Status } from "../../parts/Status";
import { OwnSend } from "./OwnSend";
import {
  type ChainFacts,
  type SaleFacts,
  useChainFacts,
  useContracts,
  useOwed,
} from "./chainFacts";

/** What the sale earned, and what is there to withdraw. */
export function Proceeds({ facilityId, account }: { facilityId: number; account: string }) {
  const query = useChainFacts(facilityId);
  const deployed = useContracts() !== null;
  if (!deployed) return <Empty title="Nothing is deployed">There is no chain to read.</Empty>;
  return (
    <Loaded query={query}>
      {(facts) =>
        facts === null ? (
          <Empty title="No proceeds yet">Offer the facility on-chain first.</Empty>
        ) : (
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
        )
      }
    </Loaded>
  );
}

function Sale({
  facilityId,
  facts,
  sale,
}: {
  facilityId: number;
  facts: ChainFacts;
  sale: SaleFacts;
}) {
  const address = useContractAddress("PrimarySale");
  const caps = facts.tranches.reduce((sum, t) => sum + t.cap, 0n);
  return (
    <Stack gap="md">
      <Group gap="sm">
        <Status state={sale.state} />
        <Text size="sm">
          {grouped(sale.soldUnits)} of {grouped(caps)} units sold, floor {grouped(sale.floorUnits)}.
          Open from <Instant seconds={sale.opensAt} /> to <Instant seconds={sale.closesAt} />.
        </Text>
      </Group>
      <Figures>
        <Figure
          name="Proceeds"
          value={<Amount micros={sale.proceeds} symbol />}
          about="paid by buyers"
        />
        <Figure
          name="Released"
          value={<Amount micros={sale.released} symbol />}
          about={`${percentOfBps(sale.upFrontBps)} up front, the rest with delivery`}
        />
        <Figure
          name="Releasable now"
          value={<Amount micros={sale.releasable} symbol />}
          about="earned, not released yet"
        />
        <Figure
          name="To holders"
          value={<Amount micros={sale.seized} symbol />}
          about="what delivery did not earn"
        />
      </Figures>
      <FinalizeSale facilityId={facilityId} sale={sale} sold={sale.soldUnits === caps} />
      {sale.releasable > 0n && (
        <Group>
          <SendButton
            call={{
              address,
              abi: primarySaleAbi,
              functionName: "release",
              args: [BigInt(facilityId)],
              label: `Release proceeds of facility ${facilityId}`,
            }}
          >
            Release to my account
          </SendButton>
        </Group>
      )}
    </Stack>
  );
}

/** Ends a sale that is sold out or over. */
export function FinalizeSale({
  facilityId,
  sale,
  sold,
}: {
  facilityId: number;
  sale: SaleFacts;
  sold: boolean;
}) {
  const address = useContractAddress("PrimarySale");
  const now = useNow();
  if (sale.state !== "open" || (!sold && now < sale.closesAt)) return null;
  return (
    <Stack gap="xs" align="flex-start">
      <Text size="sm">
        {sale.soldUnits >= sale.floorUnits
          ? "The floor is reached. Ending the sale funds the facility; units that were not sold are yours."
          : "The floor was missed. Ending the sale cancels the facility, and buyers get their money back."}
      </Text>
      <SendButton
        call={{
          address,
          abi: primarySaleAbi,
          functionName: "finalize",
          args: [BigInt(facilityId)],
          label: `End the sale of facility ${facilityId}`,
        }}
      >
        End the sale
      </SendButton>
    </Stack>
  );
}

const SOURCES = {
  PrimarySale: "Sale proceeds",
  BondVault: "Bonds and slashes",
  RentLockbox: "Rent that no holder can get",
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
                cell: (row) => <Amount micros={row.amount} symbol />,
              },
              {
                head: "Withdraw",
                cell: (row) =>
                  row.amount > 0n && contracts !== null ? (
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
