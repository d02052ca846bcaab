import { Anchor, Button, Group, List, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { type Schemas, api, dataOf } from "../../../api/client";
import { statementWords } from "../../../format/statement";
import { sentenceCase } from "../../../format/text";
import { Instant } from "../../../parts/Instant";
import { Notice } from "../../../parts/Notice";
import { Dialog } from "../forms/Dialog";
import { useChange, useLastStatement } from "../queries";
import { refusedText, statementRange } from "./reopenText";

/** Reopens a voided epoch, or the closing statement: what it does before, and until when it is open after. */
export function ReopenDialog({
  facilityId,
  epoch,
  closing,
  onClose,
}: {
  facilityId: number;
  /** Number of the statement; null while the dialog is closed. */
  epoch: number | null;
  /** Number of the closing statement. */
  closing: number;
  onClose: () => void;
}) {
  const name = epoch === null ? "" : statementWords({ epoch, closing: epoch === closing });
  return (
    <Dialog title={`Reopen ${name}`} opened={epoch !== null} onClose={onClose}>
      {epoch !== null && (
        <Reopen facilityId={facilityId} epoch={epoch} closing={closing} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Reopen({
  facilityId,
  epoch,
  closing,
  onClose,
}: {
  facilityId: number;
  epoch: number;
  closing: number;
  onClose: () => void;
}) {
  const last = useLastStatement(facilityId).data ?? epoch;
  const reopen = useChange(() =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/epochs/{epoch}/reopen", {
        params: { path: { facility_id: facilityId, epoch } },
      }),
    ),
  );
  if (reopen.data !== undefined) {
    return <Reopened epoch={epoch} closing={closing} answer={reopen.data} onClose={onClose} />;
  }
  return (
    <Stack gap="md">
      <Steps epoch={epoch} last={last} closing={closing} />
      <Text size="sm" c="dimmed">
        Have the corrections ready: without one, the same statement comes out and stays void. A
        price can be among them. What lies in a sealed month stays.
      </Text>
      {reopen.isError && (
        <Notice tone="bad" alert>
          {refusedText(reopen.error)}
        </Notice>
      )}
      <Group gap="xs">
        <Button loading={reopen.isPending} onClick={() => reopen.mutate(undefined)}>
          Reopen {statementRange(epoch, last, closing)}
        </Button>
        <Button variant="default" onClick={onClose} data-autofocus>
          Not now
        </Button>
      </Group>
    </Stack>
  );
}

/** What was proven, and what a reopening does about it. */
function Steps({ epoch, last, closing }: { epoch: number; last: number; closing: number }) {
  const later = last > epoch;
  const only = epoch === closing;
  const own = only ? "the closing statement" : `the statement of epoch ${epoch}`;
  const gone = later
    ? `The statements of ${statementRange(epoch, last, closing)} leave the books, because later ones build on this one.`
    : `${sentenceCase(own)} leaves the books.`;
  return (
    <>
      <Text size="sm">
        It was proven on-chain that {own} is wrong. It is void, and the very same statement can
        never be posted again. Reopening lets you correct the records behind it.
      </Text>
      <List type="ordered" size="sm" spacing={6} pr="md">
        <List.Item>{gone} Evidence and signatures stay readable.</List.Item>
        <List.Item>
          For an hour, or the facility&apos;s grace if that is longer,{" "}
          {later ? "they take" : "it takes"} {only ? "late usage" : "usage, outages"} and
          corrections again.
        </List.Item>
        <List.Item>
          Then the service closes {later ? "them" : "it"}, attesters sign, and{" "}
          {later ? "they are" : "it is"} posted again. You press nothing more.
        </List.Item>
      </List>
    </>
  );
}

function Reopened({
  epoch,
  closing,
  answer,
  onClose,
}: {
  epoch: number;
  closing: number;
  answer: Schemas["ReopenedOut"];
  onClose: () => void;
}) {
  const { superseded, open_until_s } = answer;
  const gone = statementRange(epoch, superseded.at(-1) ?? epoch, closing);
  return (
    <Stack gap="md">
      <Notice tone="good">
        <span role="status">
          {sentenceCase(gone)} {superseded.length > 1 ? "are" : "is"} open until{" "}
          <Instant seconds={open_until_s} />.
        </span>
      </Notice>
      <Text size="sm">
        Send the corrections now: a correction takes a wrong record back, a usage event adds what
        was missing. Their fields are in the{" "}
        <Anchor component={Link} to="/docs" inherit underline="always">
          API documentation
        </Anchor>
        . After that the service closes, signs and posts by itself.
      </Text>
      <Group>
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
