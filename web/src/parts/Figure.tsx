import { Group, Stack, Text } from "@mantine/core";
import type { CSSProperties, ReactNode } from "react";
import classes from "./Figure.module.css";
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
    <Stack className={`surface ${classes.figure ?? ""}`} gap={2}>
      {/* As tall with the mark of a source as without: figures side by side stand on one line. */}
      <Group component="dt" gap={4} mih={24} wrap="nowrap" align="center">
        <Text span size="xs" fw={600} c="dimmed">
          {name}
        </Text>
        {source !== undefined && <Info label={name}>{source}</Info>}
      </Group>
      <dd className={`figures ${classes.value ?? ""}`}>{value}</dd>
      {about !== undefined && (
        <Text component="dd" m={0} size="xs" c="dimmed">
          {about}
        </Text>
      )}
    </Stack>
  );
}

/** Figures side by side, as a description list; two a row on narrow screens. */
export function Figures({ children, cols = 4 }: { children: ReactNode; cols?: number }) {
  return (
    <dl className={classes.figures} style={{ "--cols": cols } as CSSProperties}>
      {children}
    </dl>
  );
}
