import { Group, Text } from "@mantine/core";

export function Logo() {
  return (
    <Group gap={8} wrap="nowrap">
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#0b6a5e" />
        <path
          d="M8 9h16M8 14h11M8 19h14M8 24h7"
          stroke="#fff"
          strokeWidth="2.6"
          strokeLinecap="round"
        />
      </svg>
      <Text fw={700} fz="md" style={{ letterSpacing: "-0.01em" }} visibleFrom="xs">
        Rentroll
      </Text>
    </Group>
  );
}
