import { Anchor, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useNow } from "../../api/clock";
import { useService } from "../../api/service";
import { usePaid } from "../../chain/paid";
import { quorum } from "../../format/attesters";
import { duration, instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Account, Hash, TxHash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Unknown } from "../../parts/Unknown";
import type { Hex } from "viem";
import { ZERO32 } from "../../verify/bytes";
import type { StatementRow } from "./queries";
import { useReader } from "./reader";
import classes from "./EpochState.module.css";

/** What the chain stores of the statement's epoch. */
function useStored(
  { facility_id, epoch, statement_hash }: StatementRow,
  reader: ReturnType<typeof useReader>,
) {
  return useQuery({
    queryKey: ["chain", "stored", facility_id, epoch, statement_hash],
    queryFn: async () => {
      if (reader.chain === null) throw new Error("nothing is deployed");
      const stored = await reader.chain.stored(BigInt(facility_id), epoch);
      const voided =
        stored.statementHash === null && (await reader.chain.voided(statement_hash as Hex));
      return { ...stored, voided };
    },
    enabled: reader.chain !== null,
    refetchInterval: 5_000,
  });
}

/** How far a statement came on-chain, who signed it, and what it is chained to. */
export function EpochState({ statement }: { statement: StatementRow }) {
  const { statement_hash } = statement;
  const reader = useReader();
  const { data: chain, isError } = useStored(statement, reader);
  const signers = chain?.signers.length ? chain.signers : statement.attesters;
  return (
    <Section title="State and signatures">
      {chain?.voided === true && (
        <Notice tone="bad" alert>
          Voided: a fault of this statement was proven on-chain. It counts for nothing and can never
          be posted again.
        </Notice>
      )}
      {isError && (
        <Notice tone="warning">
          The chain cannot be read just now; what follows is what the service says.
        </Notice>
      )}
      <dl className={`surface ${classes.facts}`}>
        <Row name="State">
          <StateWords statement={statement} voided={chain?.voided ?? false} />
        </Row>
        <Row name="Posted">
          {statement.posted_tx === null ? (
            <Unknown />
          ) : (
            <>
              <Instant seconds={statement.posted_at_s} /> by <TxHash hash={statement.posted_tx} />
            </>
          )}
        </Row>
        <Row
          name={
            chain === undefined
              ? "Signed by"
              : `Signed by ${signers.length}; ${quorum(chain.panel.threshold, chain.panel.attesters.length)} of panel ${chain.panel.number} needed`
          }
        >
          <Signers signers={signers} />
        </Row>
        <Row name="Statement hash">
          <Hash value={statement_hash} whole />
        </Row>
        <Row name="Statement before">
          <Before statement={statement} />
        </Row>
        <Row name="Usage root">
          <Hash value={statement.usage_root} whole />
        </Row>
        <Row name="Evidence hash">
          <Hash value={statement.evidence_hash} whole />
        </Row>
      </dl>
      <Text size="xs" c="dimmed">
        {chain === undefined
          ? "Signers: those whose signatures the service holds."
          : `Signers are read from StatementRegistry, and the seats of panel ${chain.panel.number} from AttesterRegistry, at block ${chain.block}, as they are today; hashes are as the service gives them, compared below.`}
      </Text>
    </Section>
  );
}

function Signers({ signers }: { signers: readonly string[] }) {
  const { demo_accounts } = useService();
  const nameOf = (address: string) =>
    demo_accounts.find((a) => a.address.toLowerCase() === address.toLowerCase())?.name ?? null;
  return (
    <Stack gap={2} align="flex-start">
      {signers.length === 0 && <Text size="sm">nobody yet</Text>}
      {signers.map((address) => (
        <Account key={address} address={address} name={nameOf(address)} />
      ))}
    </Stack>
  );
}

function Before({ statement }: { statement: StatementRow }) {
  const { facility_id, epoch, previous_statement_hash } = statement;
  return (
    <>
      {previous_statement_hash === ZERO32 ? (
        "none: this is the first epoch"
      ) : (
        <>
          <Hash value={previous_statement_hash} whole />{" "}
          <Anchor component={Link} to={`/facilities/${facility_id}/epochs/${epoch - 1}`} inherit>
            epoch {epoch - 1}
          </Anchor>
        </>
      )}
    </>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** How much of the rent of a counted epoch came. */
function Paid({ statement }: { statement: StatementRow }) {
  const { facility_id, epoch, gross_revenue_micros: gross } = statement;
  const { data } = usePaid(facility_id, [{ epoch, grossMicros: gross }]);
  const paid = data?.get(epoch);
  if (paid === undefined) return <>A settlement counts it.</>;
  return (
    <>
      A settlement counts it, and <Amount micros={paid} /> of its <Amount micros={gross} /> was
      paid.
    </>
  );
}

/** What follows from a final statement that no settlement counts: the closing statement never is. */
export function finalWords({ closing, gross_revenue_micros: gross }: StatementRow): string {
  if (!closing) return "Only final statements are settled.";
  return gross < 0
    ? "It lowers what the facility's statements attest. What of that was paid out before stays paid."
    : "What it states is attested, and is paid from rent like that of epochs.";
}

function StateWords({ statement, voided }: { statement: StatementRow; voided: boolean }) {
  const window = useService().challenge_window_s;
  const now = useNow();
  const { posted_at_s, state } = statement;
  if (voided || state === "voided") return <>Voided by a proven fault.</>;
  if (posted_at_s === null || window === null) {
    return (
      <>
        {state === "attested"
          ? "Signed by attesters, not posted."
          : "Closed; attesters have not signed it yet."}
      </>
    );
  }
  const until = posted_at_s + window;
  return state === "final" || state === "settled" ? (
    <>
      Final: its challenge window ended at {instant(until)}.{" "}
      {state === "settled" ? <Paid statement={statement} /> : finalWords(statement)}
    </>
  ) : (
    <>
      Posted; anybody can challenge it until {instant(until)}
      {until > now && ` (${duration(until - now)} left)`}.{" "}
      {statement.closing
        ? "It does not count, and the facility does not mature, before."
        : "It is not settled before."}
    </>
  );
}
