import { Group, SimpleGrid, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Info } from "./Info";

/** One figure with its name, and where it comes from. */
export function Figure({
  name,
  value,
  about,
  source,
}: {
  name: string;
  value: ReactNode;
  about?: ReactNode;
  source?: string;
}) {
  return (
    <Stack className="surface" gap={2} p="md" miw={0}>
      <Group component="dt" gap={4} wrap="nowrap" align="center" mih={24}>
        <Text span size="xs" fw={600} c="dimmed">
          {name}
        </Text>
        {source !== undefined && <Info label={name}>{source}</Info>}
      </Group>
      <Text
        component="dd"
        m={0}
        fz="lg"
        fw={650}
        className="figures"
        mih="1.55em"
        style={{ overflowWrap: "anywhere" }}
      >
        {value}
      </Text>
      {about !== undefined && (
        <Text component="dd" m={0} size="xs" c="dimmed">
          {about}
        </Text>
      )}
    </Stack>
  );
}

/** Figures side by side, as a description list. */
export function Figures({ children, cols = 4 }: { children: ReactNode; cols?: number }) {
  return (
    <SimpleGrid component="dl" m={0} cols={{ base: 1, xs: 2, md: cols }} spacing="sm">
      {children}
    </SimpleGrid>
  );
}
