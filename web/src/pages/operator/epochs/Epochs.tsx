import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { useNow } from "../../../api/clock";
import { usePaid } from "../../../chain/paid";
import { grouped } from "../../../format/money";
import { closingNumberOf, statementName, statementWords } from "../../../format/statement";
import { Amount } from "../../../parts/Amount";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { EpochStatus } from "../../../parts/EpochStatus";
import { TxHash } from "../../../parts/Hash";
import { Info } from "../../../parts/Info";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Pager } from "../../../parts/Pager";
import { Section } from "../../../parts/Section";
import { Unknown } from "../../../parts/Unknown";
import { Refusals } from "./Refusals";
import { ReopenDialog } from "./Reopen";
import { startedStatements, toComeText } from "./epochsShown";
import {
  type ConsoleFacility,
  type Epoch,
  type FacilityTerms,
  PAGE,
  useEpochs,
  useFacility,
} from "../queries";
import { waitsText } from "./reopenText";
import { useOffset } from "../sections";

/** Epochs from the newest that began, and how far each came; those to come are a sentence. */
export function Epochs({ facility }: { facility: ConsoleFacility }) {
  const terms = useFacility(facility.facility_id);
  return (
    <>
      <Section
        title="Epochs"
        about="Newest first. An epoch is open, takes its last records in grace, is closed, signed by attesters, posted on-chain, final after its challenge window, counted by a settlement, and settled as far as its rent was paid. Behind the last comes the closing statement of what came late until the seal is over; no settlement counts it."
        actions={
          <Info label="a voided epoch">
            A statement that was proven wrong on-chain is voided and can never be posted again:
            reopen the epoch and correct its records.
          </Info>
        }
      >
        <Loaded query={terms}>{(found) => <Begun facility={facility} terms={found} />}</Loaded>
      </Section>
      <Refusals facilityId={facility.facility_id} />
    </>
  );
}

function Begun({ facility, terms }: { facility: ConsoleFacility; terms: FacilityTerms }) {
  const now = useNow();
  const [offset, setOffset] = useOffset();
  const [reopening, setReopening] = useState<number | null>(null);
  // A facility that ended before an epoch was over states nothing.
  const total = closingNumberOf(terms) ?? 0;
  const started = startedStatements(terms, total, now);
  // The list of the service begins with the closing statement, which may be weeks ahead.
  const query = useEpochs(facility.facility_id, total + 1 - started + offset);
  const nextS = terms.window_start_s + started * terms.epoch_length_s;
  const toCome = toComeText(total, started);
  if (total === 0) {
    return (
      <Empty title="No epoch is stated">The facility ended before its first epoch was over.</Empty>
    );
  }
  if (started === 0) {
    return (
      <Empty title="No epoch has begun">
        The first of {grouped(total)} begins <Instant seconds={nextS} />.
      </Empty>
    );
  }
  return (
    <>
      <Loaded query={query}>
        {({ epochs }) =>
          epochs.length === 0 ? (
            <Empty title="No epoch here">The list ends before this page.</Empty>
          ) : (
            <Stack gap="sm">
              <EpochTable
                facilityId={facility.facility_id}
                epochs={epochs}
                onReopen={setReopening}
              />
              <Pager
                total={started}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
                label="Pages of epochs"
              />
            </Stack>
          )
        }
      </Loaded>
      {toCome !== null && (
        <Text size="xs" c="dimmed">
          {toCome} from <Instant seconds={nextS} />.
        </Text>
      )}
      <ReopenDialog
        facilityId={facility.facility_id}
        epoch={reopening}
        closing={total}
        onClose={() => setReopening(null)}
      />
    </>
  );
}

/** Of a row in the column of epochs. */
const shortName = (e: Epoch): string => (e.closing ? statementName(e) : grouped(e.epoch));

function EpochTable({
  facilityId,
  epochs,
  onReopen,
}: {
  facilityId: number;
  epochs: readonly Epoch[];
  onReopen: (epoch: number) => void;
}) {
  const counted = epochs.filter((e) => e.state === "settled");
  const { data: paid } = usePaid(
    facilityId,
    counted.map((e) => ({ epoch: e.epoch, grossMicros: e.gross_micros ?? 0 })),
  );
  return (
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
              shortName(e)
            ) : (
              <Anchor
                component={Link}
                to={`/facilities/${facilityId}/epochs/${e.epoch}`}
                inherit
                aria-label={
                  e.closing
                    ? "Closing statement and proof"
                    : `Epoch ${e.epoch}, statement and proof`
                }
              >
                {shortName(e)}
              </Anchor>
            ),
        },
        {
          head: "State",
          cell: (e) => <StateCell epoch={e} paid={paid?.get(e.epoch)} onReopen={onReopen} />,
        },
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
          cell: (e) => (e.posted_tx === null ? <Unknown /> : <TxHash hash={e.posted_tx} />),
        },
        { head: "Final at", cell: (e) => <Instant seconds={e.final_at_s} /> },
      ]}
    />
  );
}

/** The state, and what can be done about it or when it ends. */
function StateCell({
  epoch,
  paid,
  onReopen,
}: {
  epoch: Epoch;
  /** Of its rent; undefined where it is not known. */
  paid: bigint | undefined;
  onReopen: (epoch: number) => void;
}) {
  const waits = waitsText(epoch.reopen);
  return (
    <Stack gap={4} align="flex-start">
      <EpochStatus state={epoch.state} grossMicros={epoch.gross_micros} paid={paid} />
      {epoch.state === "grace" && (
        <Text size="xs" c="dimmed">
          takes records until <Instant seconds={epoch.cut_off_s} />
        </Text>
      )}
      {epoch.reopen === "now" && (
        <Button
          variant="default"
          size="xs"
          aria-label={`Reopen ${statementWords(epoch)}`}
          onClick={() => onReopen(epoch.epoch)}
        >
          Reopen
        </Button>
      )}
      {waits !== null && (
        <Text size="xs" c="dimmed">
          {waits}
        </Text>
      )}
    </Stack>
  );
}
