import { Anchor, UnstyledButton } from "@mantine/core";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Coupon, Rank, State, Two, UnitsLeft, Utilisation, Window, windowLength } from "./cells";
import classes from "./Market.module.css";
import { type Row, useUnapproved } from "./queries";
import type { MarketSearch } from "./search";

type Sort = MarketSearch["sort"];

/** A head that sorts by its column. */
function sortableBy(search: MarketSearch, onSort: (sort: Sort) => void) {
  return (name: string, sort: Sort): Pick<Column<Row>, "head" | "sorted"> => {
    const sorted =
      search.sort !== sort ? "none" : search.order === "asc" ? "ascending" : "descending";
    return {
      sorted,
      head: (
        <UnstyledButton className={classes.sort} onClick={() => onSort(sort)}>
          {name}
          <span aria-hidden className={classes.arrow} data-sorted={sorted}>
            {sorted === "descending" ? "↓" : "↑"}
          </span>
        </UnstyledButton>
      ),
    };
  };
}

function columnsWith(
  sortable: ReturnType<typeof sortableBy>,
  unapproved: ReadonlySet<number>,
): Column<Row>[] {
  return [
    {
      ...sortable("Facility", "name"),
      rowHead: true,
      cell: (row) => (
        <Two
          first={
            <Anchor component={Link} to={`/tranches/${row.token_id}`} fw={600} inherit>
              {row.facility_name}
            </Anchor>
          }
          second={
            <>
              <Rank row={row} /> · {row.operator.name}
            </>
          }
        />
      ),
    },
    {
      head: "GPU class, site",
      cell: (row) => <Two first={row.gpu_class} second={row.site} />,
    },
    {
      ...sortable("Delivery window", "window_start"),
      cell: (row) => (
        <Two
          first={<Window row={row} />}
          second={`${windowLength(row)} on ${grouped(row.device_count)} GPUs`}
        />
      ),
    },
    { head: "Status", cell: (row) => <State row={row} unapproved={unapproved} /> },
    {
      ...sortable("Units left", "units_left"),
      number: true,
      cell: (row) => <UnitsLeft row={row} />,
    },
    {
      ...sortable("Price of a unit", "price"),
      number: true,
      cell: (row) => <Amount micros={row.price_micros} />,
    },
    { head: "Coupon", number: true, cell: (row) => <Coupon row={row} /> },
    {
      ...sortable("Utilisation", "utilisation"),
      number: true,
      cell: (row) => <Utilisation row={row} />,
    },
    {
      ...sortable("Paid per unit", "paid_per_unit"),
      number: true,
      cell: (row) => <Amount micros={row.paid_per_unit_micros} digits={4} />,
    },
  ];
}

/** Tranches as a table; heads of columns sort. */
export function MarketTable({
  rows,
  search,
  onSort,
}: {
  rows: readonly Row[];
  search: MarketSearch;
  onSort: (sort: Sort) => void;
}) {
  const unapproved = useUnapproved(rows);
  return (
    <div className={classes.table}>
      <DataTable
        caption="List of tranches"
        columns={columnsWith(sortableBy(search, onSort), unapproved)}
        rows={rows}
        rowKey={(row) => row.token_id}
      />
    </div>
  );
}
