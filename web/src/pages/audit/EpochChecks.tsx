import { Button, Group, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { grouped } from "../../format/money";
import { statementWords } from "../../format/statement";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { type Check, outcomeOf } from "../../verify/check";
import { CheckRows } from "./CheckRows";
import { ReaderChoice } from "./ReaderChoice";
import type { StatementRow } from "./queries";
import { type Reader, useReader } from "./reader";
import { useEpochChecks } from "./useEpochChecks";

/** Statements of up to so many lines are checked without being asked: well under a second of work. */
const AT_ONCE = 5_000;

/** Everything published of a statement, recomputed here and compared with the contracts. */
export function EpochChecks({ statement }: { statement: StatementRow }) {
  const reader = useReader();
  return (
    <Section
      title="Checked in your browser"
      about="Your browser fetches the published evidence, recomputes it, and compares it with what the contracts store."
    >
      <ReaderChoice reader={reader} />
      {reader.chain === null ? (
        <Notice tone="warning">Nothing is deployed: there is no contract to compare with.</Notice>
      ) : (
        <Running
          key={`${reader.via} ${statement.statement_hash} ${statement.state}`}
          reader={reader}
          statement={statement}
        />
      )}
      <Text size="sm" c="dimmed">
        Not compared here: charges with the prices of leases, availability, the largest renter's and
        take-or-pay shares, and whether the metering is true. The first four are recomputed by{" "}
        <span className="hash">rentroll verify</span>; attesters vouch for the last.
      </Text>
    </Section>
  );
}

/** The note that names a line, else the first there is. */
function whereOf(different: readonly Check[]): string {
  const notes = different.flatMap((check) => check.note ?? []);
  return notes.find((note) => note.startsWith("Line ")) ?? notes[0] ?? "";
}

function Running({ reader, statement }: { reader: Reader; statement: StatementRow }) {
  const { facility_id, epoch, line_count } = statement;
  const { checks, start, tookMs } = useEpochChecks(reader, facility_id, epoch);
  const small = line_count <= AT_ONCE;
  useEffect(() => {
    if (small) start();
  }, [small, start]);

  const outcome = outcomeOf(checks);
  const different = checks.filter((check) => check.state === "different");
  const open = checks.filter((check) => check.state === "unknown");
  const place = `facility ${facility_id}, ${statementWords(statement)}`;
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm" aria-live="polite">
        {outcome === "waiting" && (
          <Text size="sm">
            {grouped(line_count)} lines: about {Math.ceil(line_count / 10_000)} s of work. Nothing
            is checked before you ask.
          </Text>
        )}
        {outcome === "running" && <Text size="sm">Checking {place}…</Text>}
        {outcome !== "running" && (
          <Button size="xs" variant={outcome === "waiting" ? "filled" : "default"} onClick={start}>
            {outcome === "waiting" ? "Check now" : "Check again"}
          </Button>
        )}
      </Group>
      {outcome === "equal" && (
        <Notice tone="good">
          All {checks.length} comparisons of {place} came out equal: {grouped(line_count)} lines
          lead to the root of the statement whose hash the contract stores.
          {tookMs !== null && ` It took ${(tookMs / 1_000).toFixed(1)} s.`}
        </Notice>
      )}
      {different.length > 0 && (
        <Notice tone="bad" alert>
          {different.length === 1
            ? "One comparison differs"
            : `${different.length} comparisons differ`}
          : {different.map((check) => check.title.toLowerCase()).join(", ")}. {whereOf(different)}
        </Notice>
      )}
      {outcome === "unknown" && (
        <Notice tone="warning">
          {open.length} of {checks.length} could not be compared:{" "}
          {open.map((check) => check.title.toLowerCase()).join(", ")}.
          {open.length < checks.length && " The others are equal."}
        </Notice>
      )}
      <CheckRows checks={checks} label={`Comparisons of ${place}`} />
    </Stack>
  );
}
