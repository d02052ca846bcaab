import { Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Names and values in lines, as a description list. */
export function Facts({ children }: { children: ReactNode }) {
  return (
    <Stack component="dl" m={0} gap={6}>
      {children}
    </Stack>
  );
}

export function Fact({
  name,
  children,
  strong = false,
}: {
  name: ReactNode;
  children: ReactNode;
  strong?: boolean;
}) {
  return (
    <Group justify="space-between" gap="sm" align="baseline" wrap="nowrap">
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text
        component="dd"
        m={0}
        size={strong ? "md" : "sm"}
        fw={strong ? 650 : 500}
        ta="right"
        className="figures"
        style={{ overflowWrap: "anywhere" }}
      >
        {children}
      </Text>
    </Group>
  );
}
