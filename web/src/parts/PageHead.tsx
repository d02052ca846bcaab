import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

/** Title of a page, what it is for in a sentence, and what can be done at once. */
export function PageHead({
  title,
  about,
  actions,
  status,
}: {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  status?: ReactNode;
}) {
  useDocumentTitle(`${title} · Rentroll`);
  return (
    <Group justify="space-between" align="flex-end" gap="md">
      <Stack gap={4} maw={760} miw={0}>
        <Group gap="sm" align="center">
          <Title order={1} size="h2" style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {status}
        </Group>
        {about !== undefined && (
          <Text c="dimmed" component="div">
            {about}
          </Text>
        )}
      </Stack>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
