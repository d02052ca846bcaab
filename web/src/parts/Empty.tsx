import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** A place where nothing is yet: says why, and what would fill it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack className="surface" align="center" gap={4} p="xl" ta="center">
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text size="sm" c="dimmed" component="div" maw={520}>
          {children}
        </Text>
      )}
    </Stack>
  );
}
