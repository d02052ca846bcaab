import { Anchor, Button, CopyButton, Stack, Text } from "@mantine/core";
import { Link, useParams } from "react-router";
import { NotFound } from "../../parts/NotFound";
import { useService } from "../../api/service";
import { grouped, money } from "../../format/money";
import { statementWords } from "../../format/statement";
import { short } from "../../format/text";
import { instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import { Hash } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { kindName } from "./EpochLines";
import { LineChecks } from "./LineChecks";
import { ProofPath } from "./ProofPath";
import { type ApiLine, type Proof, useProof, useStatement } from "./queries";

export function LineProof() {
  const { facilityId, epoch, index } = useParams();
  const numbers = [Number(facilityId), Number(epoch), Number(index)] as const;
  if (!numbers.every(Number.isSafeInteger)) return <NotFound />;
  const [facility, number, line] = numbers;
  return <LinePage key={numbers.join()} facilityId={facility} epoch={number} index={line} />;
}

function LinePage({
  facilityId,
  epoch,
  index,
}: {
  facilityId: number;
  epoch: number;
  index: number;
}) {
  const proof = useProof(facilityId, epoch, index);
  const statement = useStatement(facilityId, epoch);
  const count = statement.data?.line_count ?? 0;
  const of = statementWords({ epoch, closing: statement.data?.closing ?? false });
  const epochPath = `/facilities/${facilityId}/epochs/${epoch}`;
  return (
    <Stack gap="xl">
      <PageHead
        title={`Line ${grouped(index)} of ${of}`}
        about={
          <>
            <Anchor component={Link} to={epochPath} inherit underline="always">
              Facility {facilityId}, {of}
            </Anchor>
            {count > 0 && ` · ${grouped(count)} lines`}
          </>
        }
        actions={
          <>
            <Step to={`${epochPath}/lines/${index - 1}`} word="Previous line" off={index === 0} />
            <Step
              to={`${epochPath}/lines/${index + 1}`}
              word="Next line"
              off={index + 1 >= count}
            />
          </>
        }
      />
      <Loaded query={proof} lines={8}>
        {(found) => <Found proof={found} facilityId={facilityId} epoch={epoch} />}
      </Loaded>
    </Stack>
  );
}

function Step({ to, word, off }: { to: string; word: string; off: boolean }) {
  return off ? (
    <Button size="xs" variant="default" disabled>
      {word}
    </Button>
  ) : (
    <Button size="xs" variant="default" component={Link} to={to}>
      {word}
    </Button>
  );
}

/** A line in a sentence: what was used or credited, by whom, when, and for how much. */
export function lineInWords(line: ApiLine, symbol: string): string {
  const span = `from ${instant(line.start_s)} to ${instant(line.end_s)}`;
  const device = `Device ${short(line.subject)}`;
  const lease = `lease ${short(line.lease)}`;
  const charge = `${money(line.charge_micros, 6)} ${symbol}`.trim();
  const seconds = `${grouped(line.gpu_seconds)} GPU-seconds`;
  switch (line.kind) {
    case "usage":
      return `${device} was used under ${lease} ${span}: ${seconds}, charge ${charge}.`;
    case "delivery":
      return `${device} was delivered to a holder under ${lease} ${span}: ${seconds}, no charge.`;
    case "late":
      return `${device} was used under ${lease} ${span}, told after that epoch was stated. A difference charges it.`;
    case "late_delivery":
      return `${device} was delivered to a holder under ${lease} ${span}, told after that epoch was stated: no charge.`;
    case "void":
      return `${device} was stated as used under ${lease} ${span}, and was not: it was taken back, or the device was out of service. A difference gives the charge back.`;
    case "usage_difference":
      return `What ${lease} owes for usage ${span} changed since it was stated: ${charge}.`;
    case "tier_difference":
      return `What ${lease} gets off for the hours of ${span} changed since it was stated: ${charge}.`;
    case "shortfall_difference":
      return line.charge_micros < 0
        ? `Of what was committed under ${lease} ${span}, more was used or withheld than was known: ${charge} is given back.`
        : `Under ${lease} less was used ${span} than is paid for in any case: charge ${charge}.`;
    case "minimum_difference":
      return `What ${lease} owes up to its minimum ${span} changed since it was stated: ${charge}.`;
    case "sla_difference":
      return `Faults withheld devices from ${lease} ${span}: its SLA changed by ${charge}.`;
    case "fixed_difference":
      return `A fixed amount of ${lease}, due ${span}, changed since it was stated: ${charge}.`;
    case "adjustment_difference":
      return `The operator adjusted ${lease} by ${charge}, stated ${span}.`;
    default:
      return `A line of kind ${line.kind}: ${charge}.`;
  }
}

function Found({ proof, facilityId, epoch }: { proof: Proof; facilityId: number; epoch: number }) {
  const symbol = useService().settlement_token?.symbol ?? "";
  const { line } = proof;
  const json = JSON.stringify({ ...proof, facility_id: facilityId, epoch }, null, 2);
  return (
    <>
      <Stack gap="sm">
        <Text maw={820}>{lineInWords(line, symbol)}</Text>
        <Figures cols={4}>
          <Figure name="Kind" value={kindName(line.kind)} />
          <Figure
            name="Charge"
            value={<Amount micros={line.charge_micros} digits={6} symbol />}
            source="Rated by the lease's price, rounded down on the lease's running total, so that epochs add up to the whole."
          />
          <Figure
            name="GPU-seconds"
            value={grouped(line.gpu_seconds)}
            source="What counts for this epoch: usage and delivery only; other kinds count zero."
          />
          <Figure
            name="Running total"
            value={<Amount micros={line.cumulative_charge_micros} symbol />}
            about={`${grouped(line.cumulative_gpu_seconds)} GPU-seconds up to this line`}
            source="Sums of lines 0 to this one. They are part of the leaf, so that a proof of two neighbours also proves order and sums."
          />
        </Figures>
        <Text size="sm" component="div">
          Subject <Hash value={line.subject} whole />
          <br />
          Lease <Hash value={line.lease} whole />
        </Text>
      </Stack>
      <LineChecks proof={proof} facilityId={facilityId} epoch={epoch} />
      <Section
        title="Path to the root"
        about="Each step hashes two values of 32 bytes, the smaller one first (keccak-256). The last is the root."
        actions={
          <CopyButton value={json}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? "Copied" : "Copy as JSON"}
              </Button>
            )}
          </CopyButton>
        }
      >
        <ProofPath proof={proof} facilityId={facilityId} epoch={epoch} />
      </Section>
    </>
  );
}
