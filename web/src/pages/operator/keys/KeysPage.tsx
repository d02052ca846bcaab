/** The operator's API keys: what each may do, when it was used last, and who made it. */

import { Anchor, Button, Checkbox, Stack } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { Loaded } from "../../../parts/Loaded";
import { PageHead } from "../../../parts/PageHead";
import { Pager } from "../../../parts/Pager";
import { Section } from "../../../parts/Section";
import { Dialog } from "../forms/Dialog";
import { PAGE } from "../queries";
import { RevokeKey, RotateKey } from "./EndKey";
import { useKeyChanges, useKeys } from "./keyQueries";
import { ChangeTable, KeyTable, type Shown } from "./KeyTable";
import { MakeKey } from "./MakeKey";

const WORDS = { rotate: "Rotate", revoke: "Revoke" } as const;

export function KeysPage() {
  const [dialog, setDialog] = useState<Shown | null>(null);
  const done = () => setDialog(null);
  return (
    <>
      <PageHead
        title="API keys"
        about={
          <>
            One for each program, with no more than it needs. Nobody can show a key again: what you
            see here is how it begins.{" "}
            <Anchor component={Link} to="/operator" inherit underline="always">
              Back to the overview
            </Anchor>
          </>
        }
        actions={<Button onClick={() => setDialog({ kind: "make" })}>Make a key</Button>}
      />
      <Keys onDialog={setDialog} />
      <Changes />
      <Dialog
        title={
          dialog === null || dialog.kind === "make"
            ? "Make a key"
            : `${WORDS[dialog.kind]} ${dialog.apiKey.name}`
        }
        opened={dialog !== null}
        onClose={done}
        // What is shown once is not lost by a slip.
        firm={dialog?.kind !== "revoke"}
      >
        {dialog?.kind === "make" && <MakeKey onDone={done} />}
        {dialog?.kind === "rotate" && <RotateKey apiKey={dialog.apiKey} onDone={done} />}
        {dialog?.kind === "revoke" && <RevokeKey apiKey={dialog.apiKey} onDone={done} />}
      </Dialog>
    </>
  );
}

function Keys({ onDialog }: { onDialog: (dialog: Shown) => void }) {
  const [ended, setEnded] = useState(false);
  const [offset, setOffset] = useState(0);
  const query = useKeys(ended, offset);
  const toggle = (shown: boolean) => {
    setEnded(shown);
    setOffset(0);
  };
  return (
    <Section
      title="Keys"
      about="Newest first. The last use is written at most once a minute. Your wallet can do all of this without a key."
      actions={
        <Checkbox
          label="Show those that ended"
          checked={ended}
          onChange={(event) => toggle(event.currentTarget.checked)}
        />
      }
    >
      <Loaded query={query}>
        {({ total, keys }) => (
          <Stack gap="sm">
            <KeyTable keys={keys} onDialog={onDialog} />
            <Pager
              total={total}
              offset={offset}
              limit={PAGE}
              onOffset={setOffset}
              label="Pages of keys"
            />
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}

function Changes() {
  const [offset, setOffset] = useState(0);
  const query = useKeyChanges(offset);
  return (
    <Section title="Who changed them" about="Kept for good, newest first.">
      <Loaded query={query}>
        {({ total, changes }) => (
          <Stack gap="sm">
            <ChangeTable changes={changes} />
            <Pager
              total={total}
              offset={offset}
              limit={PAGE}
              onOffset={setOffset}
              label="Pages of changes"
            />
          </Stack>
        )}
      </Loaded>
    </Section>
  );
}
