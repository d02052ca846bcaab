import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useService } from "../../api/service";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Account } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import type { Schemas } from "../../api/client";
import { useAttesters } from "./queries";
import { useReader } from "./reader";

type Attester = Schemas["AttesterOut"];

function columnsWith(nameOf: (address: string) => string | null): Column<Attester>[] {
  return [
    {
      head: "Attester",
      rowHead: true,
      cell: (row) => <Account address={row.address} name={nameOf(row.address)} />,
    },
    {
      head: "Member",
      cell: (row) => (
        <Status state="" tone={row.active ? "good" : "quiet"}>
          {row.active ? "Active" : "Not active"}
        </Status>
      ),
    },
    { head: "Since", cell: (row) => <Instant seconds={row.active_from_s} /> },
    {
      head: "Until",
      cell: (row) =>
        row.active_until_s === null ? (
          <span style={{ whiteSpace: "nowrap" }}>no end set</span>
        ) : (
          <Instant seconds={row.active_until_s} />
        ),
    },
    { head: "Bond", number: true, cell: (row) => <Amount micros={row.bond_micros} /> },
    { head: "Signed", number: true, cell: (row) => grouped(row.statements_signed) },
    {
      head: "Voided",
      number: true,
      cell: (row) =>
        row.statements_voided > 0 ? (
          <Status state="" tone="bad">
            {grouped(row.statements_voided)}
          </Status>
        ) : (
          "0"
        ),
    },
    { head: "Last signed", cell: (row) => <Instant seconds={row.last_signed_at_s} ago /> },
  ];
}

/** Who signs statements, since when, and what became of what they signed. */
export function Attesters() {
  const query = useAttesters();
  const reader = useReader();
  const { demo_accounts } = useService();
  const { data: quorum } = useQuery({
    queryKey: ["chain", "threshold"],
    queryFn: () => reader.chain?.threshold() ?? null,
    enabled: reader.chain !== null,
    refetchInterval: 15_000,
  });
  const nameOf = (address: string) =>
    demo_accounts.find((a) => a.address.toLowerCase() === address.toLowerCase())?.name ?? null;
  return (
    <Section
      title="Attesters"
      about="They recompute a statement from the raw events and sign it only if every byte is the same. A proven fault voids what they signed and costs their bond."
    >
      {quorum && (
        <Text size="sm">
          {quorum.threshold} of {quorum.members} must sign, as StatementRegistry says through{" "}
          {reader.name}.
        </Text>
      )}
      <Loaded query={query}>
        {(data) =>
          data.attesters.length === 0 ? (
            <Empty title="There are no attesters yet">
              Governance names them on StatementRegistry.
            </Empty>
          ) : (
            <DataTable
              caption="Attesters and what they signed"
              columns={columnsWith(nameOf)}
              rows={data.attesters}
              rowKey={(row) => row.address}
            />
          )
        }
      </Loaded>
    </Section>
  );
}
