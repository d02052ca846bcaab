import { Anchor, Stack } from "@mantine/core";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { TxHash } from "../../parts/Hash";
import { Info } from "../../parts/Info";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { Unknown } from "../../parts/Unknown";
import { PAGE, useEpochs } from "./queries";
import { useOffset } from "./sections";

/** Every epoch and how far it came. */
export function Epochs({ facilityId }: { facilityId: number }) {
  const [offset, setOffset] = useOffset();
  const query = useEpochs(facilityId, offset);
  return (
    <Section
      title="Epochs"
      about="Newest first. An epoch is open, takes late records in grace, is closed, signed by attesters, posted on-chain, final after its challenge window, and settled to holders."
      actions={
        <Info label="a voided epoch">
          A statement that was proven wrong on-chain is voided and can never be posted again: send
          corrections and reopen the epoch.
        </Info>
      }
    >
      <Loaded query={query}>
        {({ total, epochs }) =>
          epochs.length === 0 ? (
            <Empty title="No epoch here">The list ends before this page.</Empty>
          ) : (
            <Stack gap="sm">
              <DataTable
                caption="Table of epochs"
                rows={epochs}
                rowKey={(e) => e.epoch}
                columns={[
                  {
                    head: "Epoch",
                    rowHead: true,
                    cell: (e) =>
                      e.gross_micros === null ? (
                        grouped(e.epoch)
                      ) : (
                        <Anchor
                          component={Link}
                          to={`/facilities/${facilityId}/epochs/${e.epoch}`}
                          inherit
                          aria-label={`Epoch ${e.epoch}, statement and proof`}
                        >
                          {grouped(e.epoch)}
                        </Anchor>
                      ),
                  },
                  { head: "State", cell: (e) => <Status state={e.state} /> },
                  { head: "From", cell: (e) => <Instant seconds={e.start_s} /> },
                  { head: "To", cell: (e) => <Instant seconds={e.end_s} /> },
                  {
                    head: "Revenue",
                    number: true,
                    cell: (e) => <Amount micros={e.gross_micros} />,
                  },
                  {
                    head: "Lines",
                    number: true,
                    cell: (e) => (e.line_count === null ? <Unknown /> : grouped(e.line_count)),
                  },
                  { head: "Signatures", number: true, cell: (e) => grouped(e.signatures) },
                  {
                    head: "Posted",
                    cell: (e) =>
                      e.posted_tx === null ? <Unknown /> : <TxHash hash={e.posted_tx} />,
                  },
                  { head: "Final at", cell: (e) => <Instant seconds={e.final_at_s} /> },
                ]}
              />
              <Pager
                total={total}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
                label="Pages of epochs"
              />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
