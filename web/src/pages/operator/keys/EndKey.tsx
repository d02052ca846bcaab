import { Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Instant } from "../../../parts/Instant";
import { Notice } from "../../../parts/Notice";
import { ChangeForm } from "../forms/ChangeForm";
import { useRevokeKey, useRotateKey } from "./keyQueries";
import { type ApiKey, DEFAULT_OVERLAP, OVERLAPS, refusedText, scopesText } from "./keyTexts";
import { Secret } from "./Secret";

interface OfKey {
  apiKey: ApiKey;
  onDone: () => void;
}

/** Makes the successor of a key; the old one works on for a while, so that nothing stops. */
export function RotateKey({ apiKey, onDone }: OfKey) {
  const [overlap, setOverlap] = useState(DEFAULT_OVERLAP);
  const rotating = useRotateKey(apiKey.key_id);
  if (rotating.data !== undefined) {
    const { api_key, replaced } = rotating.data;
    return (
      <Secret text={api_key} onDone={onDone}>
        The old key is refused from <Instant seconds={replaced.revoked_at_s} />.
      </Secret>
    );
  }
  return (
    <ChangeForm
      submit="Make the successor"
      busy={rotating.isPending}
      problem={rotating.isError ? refusedText(rotating.error) : undefined}
      onSubmit={() => rotating.mutate(Number(overlap))}
      onCancel={onDone}
    >
      <Text size="sm">
        A new key takes over name and permissions: {scopesText(apiKey.scopes).toLowerCase()}. Bring
        it to every program that uses the old one before that one ends.
      </Text>
      <NativeSelect
        label="The old key works on for"
        data={[...OVERLAPS]}
        value={overlap}
        data-autofocus
        onChange={(event) => setOverlap(event.currentTarget.value)}
      />
    </ChangeForm>
  );
}

/** Ends a key at once, after a look at who still uses it. */
export function RevokeKey({ apiKey, onDone }: OfKey) {
  const revoking = useRevokeKey(apiKey.key_id);
  return (
    <Stack gap="md">
      <Text size="sm">
        The service refuses it from the next request on, for ever. Programs that use it stop until
        they have another key. To leave no gap, rotate it in place of this.
      </Text>
      <Text size="sm">
        {apiKey.last_used_s === null ? (
          "It was never used."
        ) : (
          <>
            It was last used <Instant seconds={apiKey.last_used_s} />.
          </>
        )}
      </Text>
      {revoking.isError && (
        <Notice tone="bad" alert>
          {refusedText(revoking.error)}
        </Notice>
      )}
      <Group gap="xs">
        <Button
          loading={revoking.isPending}
          onClick={() => revoking.mutate(undefined, { onSuccess: onDone })}
        >
          Revoke the key
        </Button>
        <Button variant="default" onClick={onDone} data-autofocus>
          Keep it
        </Button>
      </Group>
    </Stack>
  );
}
