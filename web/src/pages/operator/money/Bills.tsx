import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { api, dataOf } from "../../../api/client";
import { counted } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Instant } from "../../../parts/Instant";
import { Failure, Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { Section } from "../../../parts/Section";
import { Status } from "../../../parts/Status";
import { useBills, useChange } from "../queries";
import {
  type BillMonth,
  type Bills as BillsFacts,
  FORMS,
  type ListedBill,
  documentName,
  documentPath,
  draftPath,
  monthState,
  waiting,
} from "./billText";

/** What renters are asked for, by lease and month, and what of it is paid. */
export function Bills({ facilityId }: { facilityId: number }) {
  const query = useBills(facilityId);
  return (
    <Loaded query={query}>
      {(bills) => (
        <Stack gap="lg">
          <Issue facilityId={facilityId} bills={bills} />
          <Months facilityId={facilityId} months={bills.months} />
          <Documents facilityId={facilityId} bills={bills} />
        </Stack>
      )}
    </Loaded>
  );
}

function Issue({ facilityId, bills }: { facilityId: number; bills: BillsFacts }) {
  const issue = useChange(() =>
    dataOf(
      api.POST("/v1/console/facilities/{facility_id}/bills", {
        params: { path: { facility_id: facilityId } },
        body: { due_days: 14 },
      }),
    ),
  );
  const count = waiting(bills);
  if (count === 0) return null;
  return (
    <Notice tone="info">
      <Group justify="space-between" gap="sm">
        <Text size="sm" maw={620}>
          {counted(count, "document")} can be issued, due in 14 days. Each gets a number and never
          changes; what statements say later makes a note.
        </Text>
        <Button loading={issue.isPending} onClick={() => issue.mutate(undefined)}>
          Issue now
        </Button>
      </Group>
      {issue.error !== null && <Failure error={issue.error} />}
    </Notice>
  );
}

function Months({ facilityId, months }: { facilityId: number; months: readonly BillMonth[] }) {
  return (
    <Section
      title="By month and lease"
      about="Months are UTC. A bill can be issued once the statement of the month's last epoch is final."
    >
      {months.length === 0 ? (
        <Empty title="Nothing to bill yet">
          A month appears here with its first charge in a statement on-chain.
        </Empty>
      ) : (
        <DataTable
          caption="Bills by month and lease"
          rows={months}
          rowKey={(m) => `${m.month} ${m.lease_id}`}
          columns={[
            { head: "Month", cell: (m) => m.month },
            {
              head: "Lease",
              rowHead: true,
              cell: (m) => <Names lease={m.lease_id} renter={m.renter_ref} />,
            },
            { head: "State", cell: (m) => <State month={m} /> },
            { head: "Stated", number: true, cell: (m) => <Amount micros={m.stated_micros} /> },
            { head: "Billed", number: true, cell: (m) => <Amount micros={m.billed_micros} /> },
            { head: "Paid", number: true, cell: (m) => <Amount micros={m.paid_micros} /> },
            { head: "Open", number: true, cell: (m) => <Amount micros={m.open_micros} /> },
            {
              head: "Draft",
              cell: (m) =>
                m.state !== "issued" && (
                  <File
                    path={draftPath(facilityId, m)}
                    name="See"
                    about={`See the draft of ${m.month} for ${m.lease_id}`}
                  />
                ),
            },
          ]}
        />
      )}
    </Section>
  );
}

function Documents({ facilityId, bills }: { facilityId: number; bills: BillsFacts }) {
  const left = bills.leases.filter((l) => l.prepaid_left_micros > 0 || l.credit_left_micros > 0);
  const asOf = bills.block_number === null ? "" : ` Payments up to block ${bills.block_number}.`;
  return (
    <Section title="Documents" about={`Rent pays the oldest of a lease first.${asOf}`}>
      {bills.documents.length === 0 ? (
        <Empty title="No document yet">Bills and notes appear here once they are issued.</Empty>
      ) : (
        <DataTable
          caption="Bills and notes"
          rows={[...bills.documents].reverse()}
          rowKey={(d) => d.number}
          columns={[
            { head: "Document", rowHead: true, cell: documentName },
            { head: "Lease", cell: (d) => <Names lease={d.lease_id} renter={d.renter_ref} /> },
            { head: "Month", cell: (d) => d.month },
            { head: "Due", cell: (d) => d.due_at_s !== null && <Instant seconds={d.due_at_s} /> },
            {
              head: "Amount",
              number: true,
              cell: (d) => <Amount micros={d.amount_micros} symbol />,
            },
            { head: "Paid", number: true, cell: (d) => <Amount micros={d.paid_micros} /> },
            { head: "Open", number: true, cell: (d) => <Amount micros={d.open_micros} /> },
            { head: "Files", cell: (d) => <Files facilityId={facilityId} document={d} /> },
          ]}
        />
      )}
      {left.map((l) => (
        <Text key={l.lease_id} size="sm" style={{ overflowWrap: "anywhere" }}>
          {l.lease_id}: <Amount micros={l.prepaid_left_micros} symbol /> of rent and{" "}
          <Amount micros={l.credit_left_micros} symbol /> of credits are left for what comes.
        </Text>
      ))}
    </Section>
  );
}

function State({ month }: { month: BillMonth }) {
  const { word, tone } = monthState(month.state);
  return <Status state={word} tone={tone} />;
}

function Names({ lease, renter }: { lease: string; renter: string }) {
  return (
    <Stack gap={0} miw={120} maw={240}>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {lease}
      </Text>
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {renter}
      </Text>
    </Stack>
  );
}

function Files({ facilityId, document }: { facilityId: number; document: ListedBill }) {
  return (
    <Group gap={8} wrap="nowrap">
      {FORMS.map((form) => (
        <File
          key={form}
          path={documentPath(facilityId, document.number, form)}
          name={form.toUpperCase()}
          about={`${documentName(document)} as ${form.toUpperCase()}`}
        />
      ))}
    </Group>
  );
}

function File({ path, name, about }: { path: string; name: string; about: string }) {
  return (
    <Anchor
      href={path}
      target="_blank"
      rel="noreferrer"
      size="sm"
      underline="always"
      aria-label={about}
    >
      {name}
    </Anchor>
  );
}
