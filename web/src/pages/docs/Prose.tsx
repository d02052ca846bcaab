import { Code, List, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Text of the API's document: paragraphs, lists, tables and `code`. Anything else stays as it is written. */
export function Prose({ text, size = "sm" }: { text: string; size?: "sm" | "md" }) {
  return (
    <Stack gap="xs" maw={820}>
      {blocksOf(text).map((block, i) => (
        <Block key={i} block={block} size={size} />
      ))}
    </Stack>
  );
}

/** Blocks are what blank lines part. */
export function blocksOf(text: string): string[][] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((block) => block.split("\n").map((line) => line.trim()))
    .filter((lines) => lines.some((line) => line !== ""));
}

/** Cells of a table's row. */
export function cellsOf(row: string): string[] {
  return row
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

function Block({ block, size }: { block: string[]; size: "sm" | "md" }) {
  if (block.every((line) => line.startsWith("|"))) {
    const [head = "", , ...rows] = block;
    return (
      // A scrolling frame must be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      <div className="table-frame" tabIndex={0} role="region" aria-label={head}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {cellsOf(head).map((cell, i) => (
                <Table.Th key={i} scope="col">
                  {cell}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, i) => (
              <Table.Tr key={i}>
                {cellsOf(row).map((cell, j) => (
                  <Table.Td key={j}>{inline(cell)}</Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    );
  }
  if (/^[*-] /.test(block[0] ?? "")) {
    const items = block
      .join("\n")
      .split(/\n?^[*-] /m)
      .slice(1);
    return (
      <List size={size} spacing={4}>
        {items.map((item, i) => (
          <List.Item key={i}>{inline(item.replaceAll("\n", " "))}</List.Item>
        ))}
      </List>
    );
  }
  return <Text size={size}>{inline(block.join(" "))}</Text>;
}

/** `code` and **strong** inside a line. */
export function inline(text: string): ReactNode[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, i) => {
    if (part.length > 2 && part.startsWith("`")) return <Code key={i}>{part.slice(1, -1)}</Code>;
    if (part.length > 4 && part.startsWith("**")) return <b key={i}>{part.slice(2, -2)}</b>;
    return part;
  });
}
