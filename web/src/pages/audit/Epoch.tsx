import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link, useParams } from "react-router";
import { NotFound } from "../../parts/NotFound";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { COMMITTED_FILES, pathOf } from "../../verify/evidence";
import { Downloads } from "./Downloads";
import { EpochChecks } from "./EpochChecks";
import { EpochFigures } from "./EpochFigures";
import { EpochLines } from "./EpochLines";
import { EpochState } from "./EpochState";
import { type StatementRow, useFacility, useStatement } from "./queries";

const FILES = ["statement.json", "attestations.json", "manifest.json", ...COMMITTED_FILES];

export function Epoch() {
  const { facilityId, epoch } = useParams();
  const [facility, number] = [Number(facilityId), Number(epoch)];
  if (!Number.isSafeInteger(facility) || !Number.isSafeInteger(number)) return <NotFound />;
  return <EpochPage key={`${facility} ${number}`} facilityId={facility} epoch={number} />;
}

function EpochPage({ facilityId, epoch }: { facilityId: number; epoch: number }) {
  const facility = useFacility(facilityId);
  const statement = useStatement(facilityId, epoch);
  const name = facility.data?.name ?? `Facility ${facilityId}`;
  const last = (facility.data?.epochs_closed ?? 0) - 1;
  return (
    <Stack gap="xl">
      <PageHead
        title={`${name}, epoch ${epoch}`}
        status={statement.data && <Status state={statement.data.state} />}
        about={
          <>
            <Anchor component={Link} to="/audit" inherit underline="always">
              Audit
            </Anchor>
            {facility.data &&
              ` · ${facility.data.gpu_class} · ${facility.data.site} · facility ${facilityId}`}
          </>
        }
        actions={
          <>
            <Step facilityId={facilityId} epoch={epoch - 1} disabled={epoch === 0} word="Earlier" />
            <Step facilityId={facilityId} epoch={epoch + 1} disabled={epoch >= last} word="Later" />
          </>
        }
      />
      <Loaded query={statement} lines={8}>
        {(found) => <Found statement={found} name={name} />}
      </Loaded>
    </Stack>
  );
}

function Step(props: { facilityId: number; epoch: number; disabled: boolean; word: string }) {
  if (props.disabled) {
    return (
      <Button size="xs" variant="default" disabled>
        {props.word}
      </Button>
    );
  }
  return (
    <Button
      size="xs"
      variant="default"
      component={Link}
      to={`/facilities/${props.facilityId}/epochs/${props.epoch}`}
      aria-label={`${props.word} epoch, ${props.epoch}`}
    >
      {props.word}
    </Button>
  );
}

function Found({ statement, name }: { statement: StatementRow; name: string }) {
  const { facility_id, epoch } = statement;
  return (
    <>
      <EpochFigures statement={statement} name={name} />
      <EpochState statement={statement} />
      <EpochChecks statement={statement} />
      <EpochLines statement={statement} />
      <Section
        title="Evidence"
        about="Byte for byte as published. The statement's evidence hash is the SHA-256 of manifest.json, which holds those of the five files after it."
      >
        <Downloads
          label="Evidence of this epoch"
          files={FILES.map((file) => ({ name: file, path: pathOf(facility_id, epoch, file) }))}
        />
        <Group gap="md">
          <Text size="sm" c="dimmed">
            <Anchor component={Link} to="/audit" inherit underline="always">
              How to recompute all of it yourself
            </Anchor>
          </Text>
        </Group>
      </Section>
    </>
  );
}
