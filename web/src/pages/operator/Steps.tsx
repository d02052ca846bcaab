import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { DataTable } from "../../parts/DataTable";
import { Instant } from "../../parts/Instant";
import { Failure } from "../../parts/Loaded";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import type { ConsoleFacility } from "./queries";
import { type StepsQuery, stateOf, stepName } from "./stepText";

/** Steps that the service could not take yet: nothing where there is none; what is not known is no "none". */
export function Steps({
  query,
  facilities,
}: {
  query: StepsQuery;
  facilities: readonly ConsoleFacility[];
}) {
  const { data } = query;
  if (data === undefined && !query.isError) return null;
  if (data?.work.length === 0) return null;
  const names = new Map(facilities.map((f) => [f.facility_id, f.name]));
  return (
    <Section
      title="What the service could not do yet"
      about="Steps of your facilities that are held, fail or wait, with the reason. None holds up another facility. What is held goes on once whoever runs the service lets it; everything else is tried again by itself."
    >
      {data === undefined ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <DataTable
          caption="Steps that the service could not take"
          rows={data.work}
          rowKey={(row) => `${row.step} ${row.facility_id}`}
          columns={[
            {
              head: "Facility",
              rowHead: true,
              cell: (row) => (
                <Anchor component={Link} to={`/operator/${row.facility_id}`}>
                  {names.get(row.facility_id) ?? `facility ${row.facility_id}`}
                </Anchor>
              ),
            },
            { head: "Step", cell: (row) => stepName(row.step) },
            {
              head: "State",
              cell: (row) => <Status state={row.state} tone={stateOf(row.state).tone} />,
            },
            { head: "Why", wraps: true, cell: (row) => row.reason ?? "is being done just now" },
            { head: "Since", cell: (row) => <Instant seconds={row.since_s} /> },
            { head: "Tries", number: true, cell: (row) => grouped(row.attempts) },
            {
              head: "Next try",
              cell: (row) => stateOf(row.state).next ?? <Instant seconds={row.next_try_s} />,
            },
          ]}
        />
      )}
    </Section>
  );
}
