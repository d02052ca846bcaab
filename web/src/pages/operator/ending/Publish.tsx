import { Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { type LifeCycle, epochEndOf, publishableEpochOf } from "../../../chain/lifeCycle";
import { Instant } from "../../../parts/Instant";
import { useFacilityCall } from "../facilityCall";
import { OwnSend } from "../forms/OwnSend";
import { useStatement } from "../queries";
import { parseEvidenceHash } from "./evidenceHash";

/** Publishes the evidence of the next epoch that is over and that no attester stated; nothing while there is none. */
export function Publish({ facilityId, facts }: { facilityId: number; facts: LifeCycle }) {
  const epoch = publishableEpochOf(facts);
  if (epoch === null) return null;
  // Another epoch is another hash: nothing typed is carried over.
  return <OfEpoch key={epoch} facilityId={facilityId} facts={facts} epoch={epoch} />;
}

function OfEpoch({
  facilityId,
  facts,
  epoch,
}: {
  facilityId: number;
  facts: LifeCycle;
  epoch: number;
}) {
  const known = useStatement(facilityId, epoch).data?.evidence_hash ?? "";
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
          known === ""
            ? "SHA-256 of the evidence manifest. The service has not closed this epoch yet."
            : "SHA-256 of the evidence manifest, as the service closed the epoch."
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
