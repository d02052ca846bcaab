import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Address, Hex } from "viem";
import { api, dataOf } from "../../../api/client";
import { grouped } from "../../../format/money";
import { DataTable } from "../../../parts/DataTable";
import { Hash } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Notice } from "../../../parts/Notice";
import { Section } from "../../../parts/Section";
import { Status } from "../../../parts/Status";
import { ChangeForm } from "../forms/ChangeForm";
import { Dialog } from "../forms/Dialog";
import { OwnSend } from "../forms/OwnSend";
import { fieldErrors } from "../forms/fieldErrors";
import { useChangeForm } from "../forms/useChangeForm";
import { type Replacement, useChange, useReplacements } from "../queries";
import { PLACES, replacementBody, stateWord, waitsText } from "./replacementForm";

type Shown = { kind: "ask" } | { kind: "withdraw"; replacement: Replacement };

/** Cards that take the place of others from an epoch on: asked for, sent once attesters signed, or withdrawn. */
export function Replacements({ facilityId, account }: { facilityId: number; account: string }) {
  const query = useReplacements(facilityId);
  const [dialog, setDialog] = useState<Shown | null>(null);
  const done = () => setDialog(null);
  return (
    <Section
      title="Replacements"
      about="A card that failed gives its place to another one, from the start of an epoch. Until then it stays a device of the facility: tell its outage."
      actions={
        <Button variant="default" onClick={() => setDialog({ kind: "ask" })}>
          Replace a card
        </Button>
      }
    >
      <Loaded query={query} lines={2}>
        {(replacements) => (
          <Stack gap="md">
            {replacements
              .filter((r) => r.state === "pending")
              .map((r) => (
                <Waiting
                  key={r.pledge_root}
                  replacement={r}
                  account={account}
                  onWithdraw={() => setDialog({ kind: "withdraw", replacement: r })}
                />
              ))}
            <ReplacementTable replacements={replacements} />
          </Stack>
        )}
      </Loaded>
      <Dialog
        title={dialog?.kind === "withdraw" ? "Withdraw the replacement?" : "Replace a card"}
        opened={dialog !== null}
        onClose={done}
      >
        {dialog?.kind === "ask" && <Ask facilityId={facilityId} onDone={done} />}
        {dialog?.kind === "withdraw" && (
          <Withdraw facilityId={facilityId} replacement={dialog.replacement} onDone={done} />
        )}
      </Dialog>
    </Section>
  );
}

/** The one that waits: for signatures, or for the operator's wallet. */
function Waiting({
  replacement,
  account,
  onWithdraw,
}: {
  replacement: Replacement;
  account: string;
  onWithdraw: () => void;
}) {
  const { transaction, from_epoch } = replacement;
  return (
    <Stack gap="xs">
      <Text size="sm">
        <Hash value={replacement.new} /> waits to take the place of <Hash value={replacement.old} />{" "}
        from epoch {grouped(from_epoch)}. {waitsText(replacement)}
      </Text>
      <Group gap="xs" align="flex-start">
        {transaction !== null && (
          <OwnSend
            gpuOperator={account}
            call={{
              to: transaction.to as Address,
              data: transaction.data as Hex,
              label: `Replace a card from epoch ${from_epoch}`,
            }}
          >
            Send the replacement
          </OwnSend>
        )}
        <Button variant="default" onClick={onWithdraw}>
          Withdraw…
        </Button>
      </Group>
    </Stack>
  );
}

function ReplacementTable({ replacements }: { replacements: readonly Replacement[] }) {
  if (replacements.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No card was replaced here.
      </Text>
    );
  }
  return (
    <DataTable
      caption="Table of replacements"
      rows={[...replacements].reverse()}
      rowKey={(r) => r.pledge_root}
      columns={[
        { head: "New", rowHead: true, cell: (r) => <Hash value={r.new} /> },
        { head: "In the place of", cell: (r) => <Hash value={r.old} /> },
        { head: "From epoch", number: true, cell: (r) => grouped(r.from_epoch) },
        {
          head: "State",
          cell: (r) => {
            const { word, tone } = stateWord(r.state);
            return (
              <Status state={r.state} tone={tone}>
                {word}
              </Status>
            );
          },
        },
        { head: "Asked for", cell: (r) => <Instant seconds={r.asked_at_s} /> },
        { head: "Reason", wraps: true, cell: (r) => r.reason },
      ]}
    />
  );
}

function Ask({ facilityId, onDone }: { facilityId: number; onDone: () => void }) {
  const params = { path: { facility_id: facilityId } };
  const { input, frame } = useChangeForm({
    initial: () => ({ old: "", come: "", reason: "", fromEpoch: "" }),
    places: PLACES,
    make: replacementBody,
    change: (body) =>
      dataOf(api.POST("/v1/facilities/{facility_id}/replacements", { params, body })),
    onDone,
  });
  return (
    <ChangeForm submit="Ask for the replacement" {...frame} onCancel={onDone}>
      <Text size="sm">
        Attesters of the facility look at the new card and sign; then you send the replacement with
        your wallet, before its epoch begins. Until then nothing changes.
      </Text>
      <TextInput
        label="Card that goes"
        description="Its name, as the list of devices has it."
        placeholder="GPU-…"
        data-autofocus
        {...input("old")}
      />
      <TextInput
        label="Card that comes"
        description="Of a slice: slice, card and profile, with commas between."
        placeholder="GPU-…"
        {...input("come")}
      />
      <TextInput
        label="Reason"
        description="For people, such as a number of the RMA."
        {...input("reason")}
      />
      <TextInput
        label="From epoch"
        description="Optional. Without a number it is the first that has not begun."
        inputMode="numeric"
        {...input("fromEpoch")}
      />
    </ChangeForm>
  );
}

function Withdraw({
  facilityId,
  replacement,
  onDone,
}: {
  facilityId: number;
  replacement: Replacement;
  onDone: () => void;
}) {
  const withdraw = useChange(() =>
    dataOf(
      api.POST("/v1/facilities/{facility_id}/replacements/{pledge_root}/withdraw", {
        params: { path: { facility_id: facilityId, pledge_root: replacement.pledge_root } },
      }),
    ),
  );
  const problem = fieldErrors(withdraw.error, [])[""];
  return (
    <Stack gap="md">
      <Text size="sm">
        <Hash value={replacement.old} /> keeps its place. Attesters are asked to sign no more, and
        you can ask for another replacement at once. You can ask for this one again, too.
      </Text>
      <Text size="sm">
        A transaction that was shown already can still be sent until epoch{" "}
        {grouped(replacement.from_epoch)} begins: then the card is replaced all the same.
      </Text>
      {problem !== undefined && (
        <Notice tone="bad" alert>
          {problem}
        </Notice>
      )}
      <Group gap="xs">
        <Button
          loading={withdraw.isPending}
          onClick={() => withdraw.mutate(undefined, { onSuccess: onDone })}
        >
          Withdraw it
        </Button>
        <Button variant="default" onClick={onDone} data-autofocus>
          Keep it
        </Button>
      </Group>
    </Stack>
  );
}
