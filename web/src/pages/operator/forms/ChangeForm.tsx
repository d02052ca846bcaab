import { Button, Group, Stack } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { Notice } from "../../../parts/Notice";

/** Frame of a small form: fields, what went wrong with none of them, and the way out. */
export function ChangeForm({
  submit,
  busy,
  problem,
  onSubmit,
  onCancel,
  children,
}: {
  submit: string;
  busy: boolean;
  problem: string | undefined;
  onSubmit: () => void;
  onCancel?: () => void;
  children: ReactNode;
}) {
  const press = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
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
            {submit}
          </Button>
          {onCancel !== undefined && (
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
