import { Anchor, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import classes from "./Cards.module.css";

/** Rows of a table as cards, where a table would hide its columns behind the edge. `label` is for screen readers. */
export function Cards({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul className={classes.cards} aria-label={label}>
      {children}
    </ul>
  );
}

/** One row: what it is, where it leads, and its facts. */
export function Card({
  title,
  to,
  under,
  status,
  about,
  facts,
}: {
  title: ReactNode;
  to: string;
  under: ReactNode;
  status: ReactNode;
  about?: ReactNode;
  facts: readonly (readonly [name: string, value: ReactNode])[];
}) {
  return (
    <li className={`surface ${classes.card ?? ""}`}>
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
        <Stack gap={0} miw={0}>
          <Anchor component={Link} to={to} fw={600} style={{ overflowWrap: "anywhere" }}>
            {title}
          </Anchor>
          <Text size="xs" c="dimmed" component="div" style={{ overflowWrap: "anywhere" }}>
            {under}
          </Text>
        </Stack>
        {status}
      </Group>
      {about}
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="figures">{value}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
