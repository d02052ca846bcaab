import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Hash } from "viem";
import { type LifeCycle, epochEndOf, publishableEpochOf } from "../../../chain/lifeCycle";
import { Instant } from "../../../parts/Instant";
import { TxState } from "../../../parts/TxState";
import { useFacilityCall } from "../facilityCall";
import { OwnSend } from "../forms/OwnSend";
import { useStatement } from "../queries";
import { parseEvidenceHash } from "./evidenceHash";

/** Publishes the evidence of the next epoch that is over and that no attester stated; nothing while there is none. */
export function Publish({ facilityId, facts }: { facilityId: number; facts: LifeCycle }) {
  const epoch = publishableEpochOf(facts);
  // Kept here: once it is published the form goes away, and what became of the transaction must not.
  const [sent, setSent] = useState<Hash | null>(null);
  return (
    <>
      {epoch !== null && (
        // Another epoch is another hash: nothing typed is carried over.
        <OfEpoch key={epoch} facilityId={facilityId} facts={facts} epoch={epoch} onSent={setSent} />
      )}
      {sent !== null && <TxState hash={sent} />}
    </>
  );
}

function OfEpoch({
  facilityId,
  facts,
  epoch,
  onSent,
}: {
  facilityId: number;
  facts: LifeCycle;
  epoch: number;
  onSent: (hash: Hash) => void;
}) {
  const query = useStatement(facilityId, epoch);
  const known = query.data?.evidence_hash ?? "";
  const [typed, setTyped] = useState<string | null>(null);
  const call = useFacilityCall("StatementRegistry", facilityId);
  const text = typed ?? known;
  const hash = parseEvidenceHash(text);
  return (
    <Stack className="surface" p="md" gap="sm" align="flex-start">
      <Text size="sm" maw={760}>
        Epoch {epoch} ended <Instant seconds={epochEndOf(facts.offer, epoch)} ago /> and no
        statement of it stands. Attesters sign what the service closed by itself; if they are
        silent, publish the hash of your evidence. A published epoch is no default and its hours are
        not missing, but it earns you no proceeds before it is stated. Attesters can reject evidence
        that is missing or does not recompute; the epoch can then only be stated.
      </Text>
      <TextInput
        label={`Evidence hash of epoch ${epoch}`}
        description={
          known !== ""
            ? "SHA-256 of the evidence manifest, as the service closed the epoch."
            : query.isSuccess
              ? "SHA-256 of the evidence manifest. The service has not closed this epoch yet."
              : "SHA-256 of the evidence manifest."
        }
        value={text}
        error={
          text.trim() !== "" && hash === null ? "0x and 64 hexadecimal digits, not all zero." : null
        }
        onChange={(event) => setTyped(event.currentTarget.value)}
        spellCheck={false}
        autoComplete="off"
        w="100%"
        maw={640}
      />
      <OwnSend
        gpuOperator={facts.offer.gpuOperator}
        disabled={hash === null}
        withState={false}
        onSent={onSent}
        call={
          hash &&
          call("publish", `Publish evidence of facility ${facilityId}, epoch ${epoch}`, epoch, hash)
        }
      >
        Publish evidence
      </OwnSend>
    </Stack>
  );
}
