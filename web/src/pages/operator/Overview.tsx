import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useService } from "../../api/service";
import { date, instant } from "../../format/time";
import { grouped } from "../../format/money";
import { LIVE_FACILITY_STATES } from "../../generated/states";
import { Amount } from "../../parts/Amount";
import { DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { AmountFigure } from "../../parts/AmountFigure";
import { Figure, Figures } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { TaskList } from "./TaskList";
import { type ConsoleFacility, type ConsoleTask, useConsole } from "./queries";
import { taskTexts } from "./taskText";

/** First page of the console. */
export function Overview() {
  const query = useConsole();
  return (
    <>
      <PageHead
        title="Operator console"
        about="What needs doing first, and every facility of yours. Live, as of the newest indexed block."
        actions={
          <Button component={Link} to="/operator?offer">
            Offer a facility
          </Button>
        }
      />
      <Loaded query={query} lines={8}>
        {({ tasks, facilities }) => (
          <>
            {facilities.length > 0 && <Totals facilities={facilities} tasks={tasks} />}
            <Tasks tasks={tasks} facilities={facilities} />
            <Facilities facilities={facilities} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Totals({
  facilities,
  tasks,
}: {
  facilities: readonly ConsoleFacility[];
  tasks: readonly ConsoleTask[];
}) {
  const live = facilities.filter((f) => LIVE_FACILITY_STATES.has(f.state));
  const sum = (of: (f: ConsoleFacility) => number | null) =>
    facilities.reduce((total, f) => total + BigInt(of(f) ?? 0), 0n);
  const bonds = facilities.filter((f) => f.bond_micros !== null);
  const urgent = tasks.filter((t) => t.severity === "critical").length;
  return (
    <Figures>
      <Figure
        name="Critical tasks"
        value={grouped(urgent)}
        about={`of ${grouped(tasks.length)} tasks`}
      />
      <Figure
        name="Facilities"
        value={grouped(live.length)}
        about={`offered, funded or delivering, of ${grouped(facilities.length)}`}
      />
      <AmountFigure
        name="Receivable"
        micros={sum((f) => f.receivable_micros)}
        about="all facilities together"
        source="Revenue that attesters confirmed and renters have not paid into the lockbox yet."
      />
      <Figure
        name="Bonds"
        value={bonds.length > 0 ? <Amount micros={sum((f) => f.bond_micros)} symbol /> : "None"}
        about={
          bonds.length > 0
            ? `in ${grouped(bonds.length)} ${bonds.length === 1 ? "facility" : "facilities"}`
            : "no facility has one"
        }
        source="What you have at stake in the bond vault. It pays holders when availability falls short of the promise."
      />
    </Figures>
  );
}

function Tasks({
  tasks,
  facilities,
}: {
  tasks: readonly ConsoleTask[];
  facilities: readonly ConsoleFacility[];
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const names = new Map(facilities.map((f) => [f.facility_id, f.name]));
  return (
    <Section title="What needs doing" about="Most urgent first. A task goes away with its cause.">
      {tasks.length === 0 ? (
        <Empty title="Nothing needs doing">
          {facilities.length === 0
            ? "Tasks appear here once you have a facility."
            : "Metering, statements, rent and bonds are as they should be."}
        </Empty>
      ) : (
        <TaskList tasks={taskTexts(tasks, names, symbol)} />
      )}
    </Section>
  );
}

function Facilities({ facilities }: { facilities: readonly ConsoleFacility[] }) {
  return (
    <Section title="Facilities">
      {facilities.length === 0 ? (
        <Empty title="You have no facility yet">
          <Stack gap="sm" align="center">
            <Text size="sm">
              A facility is a set of GPUs that you pledge for a delivery window. Investors buy its
              units; rent pays them.
            </Text>
            <Button component={Link} to="/operator?offer">
              Offer your first facility
            </Button>
          </Stack>
        </Empty>
      ) : (
        <DataTable
          caption="Your facilities"
          rows={facilities}
          rowKey={(f) => f.facility_id}
          columns={[
            {
              head: "Facility",
              rowHead: true,
              cell: (f) => (
                <Stack gap={0} miw={150} maw={280}>
                  <Anchor
                    component={Link}
                    to={`/operator/${f.facility_id}`}
                    fw={600}
                    style={{ overflowWrap: "anywhere" }}
                  >
                    {f.name}
                  </Anchor>
                  <Text size="xs" c="dimmed">
                    {f.gpu_class} · {f.site}
                  </Text>
                </Stack>
              ),
            },
            { head: "State", cell: (f) => <Status state={f.state} /> },
            {
              head: "Delivery window",
              cell: (f) => (
                <Text
                  size="sm"
                  className="figures"
                  title={`${instant(f.window_start_s)} to ${instant(f.window_end_s)}`}
                  style={{ whiteSpace: "nowrap" }}
                >
                  {date(f.window_start_s)} – {date(f.window_end_s)}
                </Text>
              ),
            },
            { head: "Closed", number: true, cell: (f) => grouped(f.epochs_closed) },
            { head: "Posted", number: true, cell: (f) => grouped(f.epochs_posted) },
            { head: "Settled", number: true, cell: (f) => grouped(f.epochs_settled) },
            {
              head: "Receivable",
              number: true,
              cell: (f) => <Amount micros={f.receivable_micros} />,
            },
            { head: "Bond", number: true, cell: (f) => <Bond facility={f} /> },
          ]}
        />
      )}
      <Text size="xs" c="dimmed">
        Closed, posted and settled count epochs: closed in the books, posted on-chain with enough
        signatures, settled to holders.
      </Text>
    </Section>
  );
}

function Bond({ facility }: { facility: ConsoleFacility }) {
  const { bond_micros, required_bond_micros, state } = facility;
  const below =
    LIVE_FACILITY_STATES.has(state) &&
    bond_micros !== null &&
    required_bond_micros !== null &&
    bond_micros < required_bond_micros;
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap">
      {below && <Status state="below" tone="warning" />}
      <Amount micros={bond_micros} />
    </Group>
  );
}
