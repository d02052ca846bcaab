import { Group, Stack, Text } from "@mantine/core";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { AmountFigure } from "../../../parts/AmountFigure";
import { Figures } from "../../../parts/Figure";
import { Account, Hash, TxHash } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { Section } from "../../../parts/Section";
import { SendButton } from "../../../parts/SendButton";
import { useChainFacts, useContracts } from "../chainFacts";
import { useFacilityCall } from "../facilityCall";
import { useRent } from "../queries";
import { HowToPay } from "./HowToPay";

type RentFacts = NonNullable<ReturnType<typeof useRent>["data"]>;

/** Rent due and paid, how renters pay it, and settling it. */
export function Rent({ facilityId }: { facilityId: number }) {
  const query = useRent(facilityId);
  const deployed = useContracts() !== null;
  return (
    <Loaded query={query}>
      {(rent) => (
        <Stack gap="lg">
          <Totals rent={rent} />
          {deployed && <Settle facilityId={facilityId} />}
          <ByLease rent={rent} />
          {deployed && <HowToPay facilityId={facilityId} />}
          <Payments rent={rent} />
        </Stack>
      )}
    </Loaded>
  );
}

function Totals({ rent }: { rent: RentFacts }) {
  return (
    <Figures>
      <AmountFigure
        name="Attested"
        micros={rent.attested_micros}
        about="revenue in statements on-chain"
      />
      <AmountFigure
        name="Collected"
        micros={rent.collected_micros}
        about="paid into the lockbox, less refunds"
      />
      <AmountFigure
        name="Receivable"
        micros={rent.receivable_micros}
        about="attested, not collected"
      />
      <AmountFigure
        name="Prepaid"
        micros={rent.prepaid_micros}
        about="collected, not attested yet"
      />
    </Figures>
  );
}

function ByLease({ rent }: { rent: RentFacts }) {
  return (
    <Section
      title="By lease"
      about="Due is what is attested and was not paid in the name of the lease."
    >
      {rent.by_lease.length === 0 ? (
        <Empty title="No rent yet">
          A lease appears here with its first attested charge or its first payment.
        </Empty>
      ) : (
        <DataTable
          caption="Rent by lease"
          rows={rent.by_lease}
          rowKey={(r) => r.lease}
          columns={[
            {
              head: "Lease",
              rowHead: true,
              cell: (r) => <LeaseName>{r.lease_id ?? "no lease of yours"}</LeaseName>,
            },
            { head: "Reference", cell: (r) => <Hash value={r.lease} /> },
            {
              head: "Attested",
              number: true,
              cell: (r) => <Amount micros={r.attested_micros} />,
            },
            { head: "Paid", number: true, cell: (r) => <Amount micros={r.paid_micros} /> },
            { head: "Due", number: true, cell: (r) => <Amount micros={r.due_micros} /> },
          ]}
        />
      )}
    </Section>
  );
}

function Payments({ rent }: { rent: RentFacts }) {
  return (
    <Section title="Payments" about="Newest first, at most 500.">
      {rent.payments.length === 0 ? (
        <Empty title="No payment yet">Payments appear here with their block.</Empty>
      ) : (
        <DataTable
          caption="Payments of rent"
          rows={rent.payments.map((p, i) => ({ ...p, key: `${p.tx_hash}-${i}` }))}
          rowKey={(p) => p.key}
          columns={[
            { head: "Time", cell: (p) => <Instant seconds={p.block_time_s} /> },
            { head: "Payer", cell: (p) => <Account address={p.payer} /> },
            {
              head: "Lease",
              cell: (p) => {
                const known = rent.by_lease.find((r) => r.lease === p.lease)?.lease_id;
                return known ? <LeaseName>{known}</LeaseName> : <Hash value={p.lease} />;
              },
            },
            {
              head: "Amount",
              number: true,
              cell: (p) => <Amount micros={p.amount_micros} />,
            },
            { head: "Transaction", cell: (p) => <TxHash hash={p.tx_hash} /> },
          ]}
        />
      )}
    </Section>
  );
}

function LeaseName({ children }: { children: string }) {
  return (
    <Text size="sm" miw={90} maw={260} style={{ overflowWrap: "anywhere" }}>
      {children}
    </Text>
  );
}

/** Pays out what is both final and collected. */
function Settle({ facilityId }: { facilityId: number }) {
  const { data: facts } = useChainFacts(facilityId);
  const call = useFacilityCall("RentLockbox", facilityId);
  if (facts == null || facts.settleableMicros === 0n) return null;
  return (
    <Notice tone="info">
      <Group justify="space-between" gap="sm">
        <Text size="sm" maw={620}>
          <Amount micros={facts.settleableMicros} symbol /> is final and collected, and not paid to
          holders yet. The service settles by itself; anybody may do it sooner.
        </Text>
        <SendButton call={call("settle", `Settle facility ${facilityId}`)}>Settle now</SendButton>
      </Group>
    </Notice>
  );
}
