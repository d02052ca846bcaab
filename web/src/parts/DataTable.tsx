import { Table } from "@mantine/core";
import type { ReactNode } from "react";

export interface Column<T> {
  /** Head of the column. */
  head: ReactNode;
  /** Cell of a row. */
  cell: (row: T) => ReactNode;
  /** Figures stand to the right, so that digits line up. */
  number?: boolean;
  /** The cell that names the row, for screen readers. */
  rowHead?: boolean;
  /** A sentence, which may take several lines. */
  wraps?: boolean;
  /** Sorting state, if the column can be sorted. */
  sorted?: "ascending" | "descending" | "none";
}

/** A table in a frame that scrolls by itself on narrow screens. `caption` is for screen readers. */
export function DataTable<T>({
  caption,
  columns,
  rows,
  rowKey,
  foot,
}: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  foot?: ReactNode;
}) {
  return (
    // A scrolling frame must be reachable by keyboard; axe asks for the name.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-frame" tabIndex={0} role="region" aria-label={caption}>
      <Table>
        <caption className="visually-hidden">{caption}</caption>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column, i) => (
              <Table.Th
                key={i}
                scope="col"
                className={column.number === true ? "number" : undefined}
                aria-sort={column.sorted}
              >
                {column.head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={rowKey(row)}>
              {columns.map((column, i) =>
                column.rowHead === true ? (
                  <Table.Th
                    key={i}
                    scope="row"
                    fw={500}
                    className={column.wraps === true ? "wraps" : undefined}
                  >
                    {column.cell(row)}
                  </Table.Th>
                ) : (
                  <Table.Td key={i} className={column.number === true ? "number" : undefined}>
                    {column.cell(row)}
                  </Table.Td>
                ),
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
        {foot !== undefined && <Table.Tfoot>{foot}</Table.Tfoot>}
      </Table>
    </div>
  );
}
