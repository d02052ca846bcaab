import { ActionIcon, Popover, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** An explanation that opens on demand: by pointer, finger and keyboard alike. */
export function Info({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Popover width={300} withArrow shadow="md" position="top">
      <Popover.Target>
        <ActionIcon variant="transparent" color="gray" size={24} aria-label={`What is ${label}?`}>
          <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
            <circle
              cx="8"
              cy="8"
              r="6.6"
              fill="none"
              stroke="var(--mantine-color-dimmed)"
              strokeWidth="1.3"
            />
            <path
              d="M8 7.2v4M8 4.6v.2"
              stroke="var(--mantine-color-dimmed)"
              strokeWidth="1.6"
              strokeLinecap="round"
            />
          </svg>
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm" component="div">
          {children}
        </Text>
      </Popover.Dropdown>
    </Popover>
  );
}
