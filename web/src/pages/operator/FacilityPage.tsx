import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { quorum } from "../../format/attesters";
import { grouped } from "../../format/money";
import { duration, instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Empty } from "../../parts/Empty";
import { AmountFigure } from "../../parts/AmountFigure";
import { Figure, Figures } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { useService } from "../../api/service";
import { BondSection } from "./bond/BondSection";
import { Bills } from "./money/Bills";
import { Devices } from "./metering/Devices";
import { EndingSection } from "./ending/EndingSection";
import { Epochs } from "./epochs/Epochs";
import { Events } from "./events/Events";
import { Launch } from "./launch/Launch";
import { Leases } from "./leases/Leases";
import { Log } from "./metering/Log";
import { Proceeds } from "./money/Proceeds";
import { Rejections } from "./metering/Rejections";
import { Rent } from "./money/Rent";
import { SectionNav } from "./SectionNav";
import { TaskList } from "./TaskList";
import {
  type ConsoleFacility,
  type ConsoleTask,
  type FacilityTerms,
  useConsole,
  useFacility,
} from "./queries";
import { type Section as SectionId, useSection } from "./sections";
import { taskTexts } from "./taskText";

/** One facility of the operator, by sections that each have an address. */
export function FacilityPage({ facilityId }: { facilityId: number }) {
  const query = useConsole();
  return (
    <Loaded query={query} lines={8}>
      {({ facilities, tasks, operator }) => {
        const found = facilities.find((f) => f.facility_id === facilityId);
        if (found !== undefined) {
          const own = tasks.filter((t) => t.facility_id === facilityId);
          return <Facility facility={found} tasks={own} account={operator.address} />;
        }
        return (
          <>
            <PageHead title={`Facility ${facilityId}`} />
            <Empty title="You have no such facility">
              It may be another operator's, or the number is mistyped.{" "}
              <Anchor component={Link} to="/operator" inherit underline="always">
                See your facilities
              </Anchor>
              .
            </Empty>
          </>
        );
      }}
    </Loaded>
  );
}

function Facility({
  facility,
  tasks,
  account,
}: {
  facility: ConsoleFacility;
  tasks: readonly ConsoleTask[];
  account: string;
}) {
  const id = facility.facility_id;
  const section = useSection(facility.state);
  const symbol = useService().settlement_token?.symbol ?? "";
  const { data: terms } = useFacility(id);
  return (
    <Stack gap="lg">
      <PageHead
        title={facility.name}
        status={<Status state={facility.state} />}
        about={
          <>
            <Anchor component={Link} to="/operator" inherit underline="always">
              Console
            </Anchor>{" "}
            · facility {id} · {facility.gpu_class} · {facility.site}
            <Text size="sm" component="div">
              {instant(facility.window_start_s)} to {instant(facility.window_end_s)}
              {terms !== undefined &&
                `, ${grouped(terms.epoch_count)} epochs of ${duration(terms.epoch_length_s)}`}
            </Text>
          </>
        }
      />
      <Totals facility={facility} terms={terms} />
      {tasks.length > 0 && (
        <Section title="To do here">
          <TaskList
            tasks={taskTexts(
              tasks,
              new Map([[id, facility.name]]),
              symbol,
              terms === undefined ? [] : [terms],
            )}
          />
        </Section>
      )}
      <SectionNav facilityId={id} current={section} />
      <Body section={section} facility={facility} account={account} />
    </Stack>
  );
}

/** Whether the devices are approved, and by whom. */
function pledgeText({ panel, pledge }: FacilityTerms): string {
  if (panel === null) return "pledged; attesters are named with the offer";
  const signers = `${quorum(panel.threshold, panel.attesters.length)} (panel ${panel.number})`;
  return pledge.approved_at === null
    ? `pledged; ${signers} have not approved them yet`
    : `pledged; approved by ${signers}`;
}

function Totals({
  facility,
  terms,
}: {
  facility: ConsoleFacility;
  terms: FacilityTerms | undefined;
}) {
  return (
    <Figures>
      <Figure
        name="Devices"
        value={terms === undefined ? "" : grouped(terms.device_count)}
        about={terms === undefined ? "pledged" : pledgeText(terms)}
      />
      <Figure
        name="Epochs"
        value={`${grouped(facility.epochs_settled)} counted`}
        about={`${grouped(facility.epochs_closed)} closed, ${grouped(facility.epochs_posted)} posted${terms === undefined ? "" : `, of ${grouped(terms.epoch_count)}`}`}
      />
      <AmountFigure
        name="Receivable"
        micros={facility.receivable_micros}
        about="attested, not collected"
        source="Revenue in posted statements that renters have not paid into the lockbox yet."
      />
      <Figure
        name="Bond"
        value={
          facility.bond_micros === null ? "None" : <Amount micros={facility.bond_micros} symbol />
        }
        about={
          facility.required_bond_micros === null ? (
            "no terms were agreed"
          ) : (
            <>
              minimum <Amount micros={facility.required_bond_micros} />
            </>
          )
        }
      />
    </Figures>
  );
}

function Body({
  section,
  facility,
  account,
}: {
  section: SectionId;
  facility: ConsoleFacility;
  account: string;
}) {
  const id = facility.facility_id;
  switch (section) {
    case "launch":
      return <Launch facility={facility} account={account} />;
    case "devices":
      return <Devices facilityId={id} account={account} />;
    case "events":
      return <Events facility={facility} />;
    case "rejections":
      return <Rejections facilityId={id} />;
    case "log":
      return <Log facilityId={id} />;
    case "leases":
      return <Leases facility={facility} />;
    case "epochs":
      return <Epochs facility={facility} />;
    case "rent":
      return <Rent facilityId={id} />;
    case "bills":
      return <Bills facilityId={id} />;
    case "bond":
      return <BondSection facilityId={id} />;
    case "ending":
      return <EndingSection facilityId={id} />;
    case "proceeds":
      return <Proceeds facilityId={id} account={account} />;
  }
}
