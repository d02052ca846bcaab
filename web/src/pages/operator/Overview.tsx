import { Button } from "@mantine/core";
import { Link } from "react-router";
import { useServiceStatus } from "../../api/clock";
import { useService } from "../../api/service";
import { grouped } from "../../format/money";
import { LIVE_FACILITY_STATES } from "../../generated/states";
import { Amount } from "../../parts/Amount";
import { Empty } from "../../parts/Empty";
import { AmountFigure } from "../../parts/AmountFigure";
import { Figure, Figures } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { Facilities } from "./Facilities";
import { Steps } from "./Steps";
import { Stopped } from "./Stopped";
import { TaskList } from "./TaskList";
import {
  type ConsoleFacility,
  type ConsoleTask,
  useConsole,
  useFacilities,
  useSteps,
} from "./queries";
import { type StepsQuery, restText } from "./stepText";
import { taskTexts } from "./taskText";

/** First page of the console. */
export function Overview() {
  const query = useConsole();
  const steps = useSteps();
  return (
    <>
      <PageHead
        title="Operator console"
        about="What needs doing first, and every facility of yours. Live, as of the newest indexed block."
        actions={
          <>
            <Button component={Link} to="/operator?keys" variant="default">
              API keys
            </Button>
            <Button component={Link} to="/operator?offer">
              Offer a facility
            </Button>
          </>
        }
      />
      <Loaded query={query} lines={8}>
        {({ tasks, facilities }) => (
          <>
            {facilities.length > 0 && <Totals facilities={facilities} tasks={tasks} />}
            <Tasks tasks={tasks} facilities={facilities} steps={steps} />
            <Stopped />
            <Steps query={steps} facilities={facilities} />
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
  steps,
}: {
  tasks: readonly ConsoleTask[];
  facilities: readonly ConsoleFacility[];
  steps: StepsQuery;
}) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const names = new Map(facilities.map((f) => [f.facility_id, f.name]));
  const stopped = (useServiceStatus().data?.relayer ?? null) !== null;
  // Whether a statement is an epoch's or the closing one follows from a facility's terms.
  const { data: terms } = useFacilities(tasks.some((t) => t.kind.startsWith("epoch_")));
  return (
    <Section title="What needs doing" about="Most urgent first. A task goes away with its cause.">
      {tasks.length === 0 ? (
        <Empty title="Nothing needs doing">
          {facilities.length === 0
            ? "Tasks appear here once you have a facility."
            : restText(steps, stopped)}
        </Empty>
      ) : (
        <TaskList tasks={taskTexts(tasks, names, symbol, terms)} />
      )}
    </Section>
  );
}
