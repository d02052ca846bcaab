import { Button, Group, Text } from "@mantine/core";
import { grouped } from "../format/money";

/** Steps through a long list. Shows nothing where one page holds all. */
export function Pager({
  total,
  offset,
  limit,
  onOffset,
  label,
}: {
  total: number;
  offset: number;
  limit: number;
  onOffset: (offset: number) => void;
  label: string;
}) {
  if (total <= limit && offset === 0) return null;
  const last = Math.min(total, offset + limit);
  return (
    <Group component="nav" aria-label={label} justify="space-between" gap="sm">
      <Text size="sm" c="dimmed" className="figures">
        {grouped(total === 0 ? 0 : offset + 1)}–{grouped(last)} of {grouped(total)}
      </Text>
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          disabled={offset === 0}
          onClick={() => onOffset(Math.max(0, offset - limit))}
        >
          Previous
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={last >= total}
          onClick={() => onOffset(offset + limit)}
        >
          Next
        </Button>
      </Group>
    </Group>
  );
}
