import { Anchor, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import type { Schemas } from "../../api/client";
import { useService } from "../../api/service";
import { webAddress } from "../../format/attesters";
import { grouped } from "../../format/money";
import { short } from "../../format/text";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Account } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { Unknown } from "../../parts/Unknown";
import type { Attesters as OnChain, Panel } from "../../verify/panels";
import { Panels } from "./Panels";
import { useAttesters } from "./queries";
import { type Reader, useReader } from "./reader";

type Row = Schemas["AttesterOut"];
type NameOf = (address: string) => string | null;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** What the chain says of the attesters that the service lists, and of everybody on a panel. */
function useOnChain(reader: Reader, rows: readonly Row[] | undefined) {
  const accounts = rows?.map((row) => row.address as Address) ?? [];
  return useQuery({
    queryKey: ["chain", "attesters", reader.via, accounts],
    queryFn: () => reader.chain?.attesters(accounts) ?? null,
    enabled: reader.chain !== null && rows !== undefined,
    refetchInterval: 15_000,
  });
}

/** Panels on which an account sits, in words. */
function panelsOf(panels: readonly Panel[], address: string): string {
  const numbers = panels
    .filter((panel) => panel.attesters.some((a) => same(a, address)))
    .map((panel) => panel.number);
  return numbers.length === 0 ? "none" : numbers.join(", ");
}

/** A bond; of one that is too small, what follows. */
function Bond({ micros, minimum }: { micros: bigint | number; minimum: bigint | undefined }) {
  const below = minimum !== undefined && BigInt(micros) < minimum;
  return (
    <>
      <Amount micros={micros} />
      {below && (
        <Text component="div" size="xs" c="var(--rr-warning)">
          below the least of <Amount micros={minimum} />: its signatures do not count
        </Text>
      )}
    </>
  );
}

/** Where an attester publishes. Whatever it wrote: only an address of the web becomes a link. */
function Url({ text }: { text: string | undefined }) {
  if (text === undefined) return <Unknown />;
  const address = webAddress(text);
  if (address !== null) {
    return (
      <Anchor href={address} rel="noopener noreferrer nofollow" target="_blank" inherit>
        {short(address, 40, 8)}
      </Anchor>
    );
  }
  return (
    <Text span size="sm" c="dimmed">
      {text === "" ? "none named" : `no web address: ${short(text, 30, 8)}`}
    </Text>
  );
}

function columnsWith(nameOf: NameOf, chain: OnChain | null): Column<Row>[] {
  const on = (row: Row) => chain?.members.find((m) => same(m.address, row.address));
  return [
    {
      head: "Attester",
      rowHead: true,
      cell: (row) => <Account address={row.address} name={nameOf(row.address)} />,
    },
    {
      head: "Signatures",
      cell: (row) => {
        const counts = on(row)?.counts ?? row.active;
        return (
          <Status state="" tone={counts ? "good" : "quiet"}>
            {counts ? "Count" : "Do not count"}
          </Status>
        );
      },
    },
    {
      head: "Bond",
      number: true,
      wraps: true,
      cell: (row) => (
        <Bond micros={on(row)?.bondMicros ?? row.bond_micros} minimum={chain?.minimumBondMicros} />
      ),
    },
    {
      head: "Panels",
      cell: (row) => (chain === null ? <Unknown /> : panelsOf(chain.panels, row.address)),
    },
    { head: "Publishes at", cell: (row) => <Url text={on(row)?.url} /> },
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

/** Who signs statements, since when, on which panels, and what became of what they signed. */
export function Attesters() {
  const query = useAttesters();
  const reader = useReader();
  const { demo_accounts } = useService();
  const chain = useOnChain(reader, query.data?.attesters);
  const nameOf: NameOf = (address) =>
    demo_accounts.find((a) => same(a.address, address))?.name ?? null;
  return (
    <Section
      title="Attesters"
      anchor="attesters"
      about="They recompute a statement from the raw events and sign it only if every byte is the same; before a facility is funded, they approve its devices. A proven fault voids what they signed and costs their bond."
    >
      <Loaded query={query}>
        {(data) =>
          data.attesters.length === 0 ? (
            <Empty title="There are no attesters yet">
              Governance names them on AttesterRegistry.
            </Empty>
          ) : (
            <Stack gap="sm">
              {chain.isError && (
                <Notice tone="warning">
                  The chain cannot be read just now: panels, least bond and addresses are missing.
                </Notice>
              )}
              {chain.data != null && (
                <Panels chain={chain.data} readBy={reader.name} nameOf={nameOf} />
              )}
              <DataTable
                caption="Attesters and what they signed"
                columns={columnsWith(nameOf, chain.data ?? null)}
                rows={data.attesters}
                rowKey={(row) => row.address}
              />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
