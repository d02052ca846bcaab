import { Anchor, Button, Group, List, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { type Schemas, api, dataOf } from "../../../api/client";
import { Instant } from "../../../parts/Instant";
import { Notice } from "../../../parts/Notice";
import { Dialog } from "../forms/Dialog";
import { useChange } from "../queries";
import { epochRange, refusedText } from "./reopenText";

/** Reopens a voided epoch: what it does before, and until when it is open after. */
export function ReopenDialog({
  facilityId,
  epoch,
  lastClosed,
  onClose,
}: {
  facilityId: number;
  /** Null while the dialog is closed. */
  epoch: number | null;
  lastClosed: number;
  onClose: () => void;
}) {
  return (
    <Dialog title={`Reopen epoch ${epoch ?? ""}`} opened={epoch !== null} onClose={onClose}>
      {epoch !== null && (
        <Reopen facilityId={facilityId} epoch={epoch} lastClosed={lastClosed} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Reopen({
  facilityId,
  epoch,
  lastClosed,
  onClose,
}: {
  facilityId: number;
  epoch: number;
  lastClosed: number;
  onClose: () => void;
}) {
  const reopen = useChange(() =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/epochs/{epoch}/reopen", {
        params: { path: { facility_id: facilityId, epoch } },
      }),
    ),
  );
  if (reopen.data !== undefined) {
    return <Reopened epoch={epoch} answer={reopen.data} onClose={onClose} />;
  }
  const later = lastClosed > epoch;
  return (
    <Stack gap="md">
      <Text size="sm">
        It was proven on-chain that the statement of epoch {epoch} is wrong. It is void, and the
        very same statement can never be posted again. Reopening lets you correct the records behind
        it.
      </Text>
      <List type="ordered" size="sm" spacing={6} pr="md">
        <List.Item>
          {later
            ? `The statements of ${epochRange(epoch, lastClosed)} leave the books, because later ones build on this one.`
            : `The statement of epoch ${epoch} leaves the books.`}{" "}
          Evidence and signatures stay readable.
        </List.Item>
        <List.Item>
          For an hour, or the facility&apos;s grace if that is longer,{" "}
          {later ? "these epochs take" : "the epoch takes"} usage, outages and corrections again.
        </List.Item>
        <List.Item>
          Then the service closes {later ? "them" : "it"}, attesters sign, and{" "}
          {later ? "they are" : "it is"} posted again. You press nothing more.
        </List.Item>
      </List>
      <Text size="sm" c="dimmed">
        Have the corrections ready: without one, the same statement comes out and stays void. Leases
        and prices of the past do not change.
      </Text>
      {reopen.isError && (
        <Notice tone="bad" alert>
          {refusedText(reopen.error)}
        </Notice>
      )}
      <Group gap="xs">
        <Button loading={reopen.isPending} onClick={() => reopen.mutate(undefined)}>
          Reopen {epochRange(epoch, lastClosed)}
        </Button>
        <Button variant="default" onClick={onClose} data-autofocus>
          Not now
        </Button>
      </Group>
    </Stack>
  );
}

function Reopened({
  epoch,
  answer,
  onClose,
}: {
  epoch: number;
  answer: Schemas["ReopenedOut"];
  onClose: () => void;
}) {
  const { superseded, open_until_s } = answer;
  const gone = epochRange(epoch, superseded.at(-1) ?? epoch);
  return (
    <Stack gap="md">
      <Notice tone="good">
        <span role="status">
          {`${gone.charAt(0).toUpperCase()}${gone.slice(1)}`} {superseded.length > 1 ? "are" : "is"}{" "}
          open until <Instant seconds={open_until_s} />.
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
