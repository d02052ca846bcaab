import { Anchor, Stack, Text } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { grouped } from "../../format/money";
import { closingNumberOf, statementName } from "../../format/statement";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Hash } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { type Tranche, useDocuments } from "./queries";

// Asks the node, which needs more code than the rest of the page.
const TermsState = lazy(async () => ({ default: (await import("./TermsState")).TermsState }));

type Document = Schemas["DocumentOut"];

const PAGE = 9;

/** Address of a published file; its path comes from the service, part by part. */
function hrefOf(document: Document): string {
  return `/v1/evidence/${document.path.split("/").map(encodeURIComponent).join("/")}`;
}

function columnsOf(facilityId: number, closing: number | null): Column<Document>[] {
  return [
    {
      head: "Document",
      rowHead: true,
      cell: (d) => (
        <Anchor href={hrefOf(d)} inherit>
          {d.name}
        </Anchor>
      ),
    },
    {
      head: "Of",
      cell: (d) =>
        d.epoch === null ? (
          "Terms"
        ) : (
          <Anchor
            component={Link}
            to={`/facilities/${facilityId}/epochs/${d.epoch}`}
            inherit
            style={{ whiteSpace: "nowrap" }}
          >
            {statementName({ epoch: d.epoch, closing: d.epoch === closing })}
          </Anchor>
        ),
    },
    { head: "SHA-256", cell: (d) => <Hash value={d.sha256} /> },
    { head: "Bytes", number: true, cell: (d) => grouped(d.bytes) },
    {
      head: "On-chain",
      cell: (d) =>
        d.on_chain === "termsHash" ? (
          <Suspense>
            <TermsState facilityId={facilityId} path={d.path} />
          </Suspense>
        ) : d.on_chain === "evidenceHash" && d.epoch !== null ? (
          <Anchor component={Link} to={`/facilities/${facilityId}/epochs/${d.epoch}`} inherit>
            Check on its page
          </Anchor>
        ) : (
          <Text span size="sm" c="dimmed">
            {d.epoch === null ? "" : "By the manifest"}
          </Text>
        ),
    },
  ];
}

/** Published files with their hashes: what anybody recomputes statements from. */
export function Documents({ tranche }: { tranche: Tranche }) {
  const [offset, setOffset] = useState(0);
  const query = useDocuments(tranche.token_id, offset, PAGE);
  const closing = closingNumberOf({ ...tranche, seal_s: tranche.terms.seal_s });
  return (
    <Section
      title="Documents"
      anchor="documents"
      about="Published evidence. The chain holds the hash of the terms and of each statement's manifest; the manifest names the hashes of the other files."
    >
      <Loaded query={query} lines={5}>
        {({ total, documents }) =>
          documents.length === 0 ? (
            <Empty title="No document yet">
              The terms are published when the facility is registered, evidence when an epoch
              closes.
            </Empty>
          ) : (
            <Stack gap="sm">
              <DataTable
                caption="Documents, newest first"
                columns={columnsOf(tranche.facility_id, closing)}
                rows={documents}
                rowKey={(d) => d.path}
              />
              <Pager
                label="Pages of documents"
                total={total}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
              />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
