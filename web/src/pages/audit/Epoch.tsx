import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link, useParams } from "react-router";
import { closingNumberOf, statementWords } from "../../format/statement";
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
import { Restated } from "./Restated";
import { type StatementRow, useFacility, useLastStatement, useStatement } from "./queries";

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
  const last = useLastStatement(facilityId).data ?? 0;
  const behind = facility.data ? closingNumberOf(facility.data) : null;
  // Before the statement is there, the facility's terms say which it is.
  const closing = statement.data?.closing ?? epoch === behind;
  return (
    <Stack gap="xl">
      <PageHead
        title={`${name}, ${statementWords({ epoch, closing })}`}
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
            <Step
              to={{ facilityId, epoch: epoch - 1, closing: false }}
              disabled={epoch === 0}
              word="Earlier"
            />
            <Step
              to={{ facilityId, epoch: epoch + 1, closing: epoch + 1 === behind }}
              disabled={epoch >= last}
              word="Later"
            />
          </>
        }
      />
      <Loaded query={statement} lines={8}>
        {(found) => <Found statement={found} name={name} />}
      </Loaded>
    </Stack>
  );
}

function Step({
  to,
  disabled,
  word,
}: {
  to: { facilityId: number; epoch: number; closing: boolean };
  disabled: boolean;
  word: string;
}) {
  if (disabled) {
    return (
      <Button size="xs" variant="default" disabled>
        {word}
      </Button>
    );
  }
  return (
    <Button
      size="xs"
      variant="default"
      component={Link}
      to={`/facilities/${to.facilityId}/epochs/${to.epoch}`}
      aria-label={to.closing ? `${word}, ${statementWords(to)}` : `${word} epoch, ${to.epoch}`}
    >
      {word}
    </Button>
  );
}

function Found({ statement, name }: { statement: StatementRow; name: string }) {
  const { facility_id, epoch } = statement;
  return (
    <>
      <EpochFigures statement={statement} name={name} />
      {!statement.closing && <Restated statement={statement} />}
      <EpochState statement={statement} />
      <EpochChecks statement={statement} />
      <EpochLines statement={statement} />
      <Section
        title="Evidence"
        about="Byte for byte as published. The statement's evidence hash is the SHA-256 of manifest.json, which holds those of the five files after it."
      >
        <Downloads
          label={statement.closing ? "Evidence of the closing statement" : "Evidence of this epoch"}
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
