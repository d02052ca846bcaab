import { Button, Group, Stack, Text } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { Notice } from "../../../parts/Notice";
import { ForeseenView } from "./ForeseenView";
import { type Preview, refusalOf } from "./previewText";

interface Step {
  /** What the last button does: `Void it`. */
  act: string;
  sending: boolean;
  failure: string | undefined;
  onBack: () => void;
  onConfirm: () => void;
  onCancel: () => void;
}

/** Frame of a form whose change is shown first: fields, then what they would change, then the act. */
export function PreviewForm({
  busy,
  problem,
  onShow,
  preview,
  children,
  ...step
}: Step & {
  busy: boolean;
  problem: string | undefined;
  onShow: () => void;
  preview: Preview | undefined;
  children: ReactNode;
}) {
  const press = (event: FormEvent) => {
    event.preventDefault();
    onShow();
  };
  if (preview !== undefined) return <Confirm preview={preview} {...step} />;
  return (
    <form onSubmit={press} noValidate>
      <Stack gap="sm">
        {children}
        {problem !== undefined && (
          <Notice tone="bad" alert>
            {problem}
          </Notice>
        )}
        <Group gap="xs">
          <Button type="submit" loading={busy}>
            Show what it changes
          </Button>
          <Button variant="default" onClick={step.onCancel}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What would change, and the act itself, unless it would be refused. */
function Confirm({
  preview,
  act,
  sending,
  failure,
  onBack,
  onConfirm,
  onCancel,
}: Step & { preview: Preview }) {
  const refused = refusalOf(preview);
  const acts = refused === null && preview.unforeseen !== "nothing_new";
  return (
    <Stack gap="sm">
      {refused === null ? (
        <ForeseenView preview={preview} />
      ) : (
        <Notice tone="bad" alert>
          <Text size="sm" fw={600} className="hash">
            {refused.code}
          </Text>
          <Text size="sm">This would not be taken: {refused.detail}.</Text>
        </Notice>
      )}
      {failure !== undefined && (
        <Notice tone="bad" alert>
          {failure}
        </Notice>
      )}
      <Group gap="xs">
        {acts && (
          <Button onClick={onConfirm} loading={sending} data-autofocus>
            {act}
          </Button>
        )}
        <Button variant="default" onClick={onBack} disabled={sending}>
          Back
        </Button>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
      </Group>
    </Stack>
  );
}
