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
      {/* As tall with the mark of a source as without: figures side by side stand on one line. */}
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

/** Figures side by side, as a description list. `dense` where a page begins with them: two a row on the narrowest. */
export function Figures({
  children,
  cols = 4,
  dense = false,
}: {
  children: ReactNode;
  cols?: number;
  dense?: boolean;
}) {
  return (
    <SimpleGrid
      component="dl"
      m={0}
      cols={{ base: dense ? 2 : 1, xs: 2, md: cols }}
      spacing={{ base: dense ? "xs" : "sm", xs: "sm" }}
    >
      {children}
    </SimpleGrid>
  );
}
