import { Button, CopyButton, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type Schemas, api, dataOf } from "../../../api/client";
import { Notice } from "../../../parts/Notice";
import { refusedText } from "../keys/keyTexts";
import type { Lease } from "../queries";

type NameSecret = Schemas["NameSecretOut"];
type Whose = "lease" | "renter";

const SECRETS = {
  lease: "/v1/console/facilities/{facility_id}/secrets/lease",
  renter: "/v1/console/facilities/{facility_id}/secrets/renter",
} as const;

/** Shows the secret of a lease or of its renter, to be handed on to whom it concerns. */
export function NameSecrets({ facilityId, lease }: { facilityId: number; lease: Lease }) {
  const asking = useMutation({
    mutationFn: async (whose: Whose) => {
      const params = { path: { facility_id: facilityId } };
      const body = { lease_id: lease.lease_id };
      return { whose, found: await dataOf(api.POST(SECRETS[whose], { params, body })) };
    },
  });
  return (
    <Stack gap="md">
      <Text size="sm">
        Evidence names nobody. Who is given a name with its secret finds its lines and money there,
        and learns nothing of other names. It can be shown on to anybody, and not be taken back:
        give the lease&apos;s to who may see one lease, the renter&apos;s to who may see all that
        this renter has here.
      </Text>
      <Group gap="xs">
        <Button loading={asking.isPending} onClick={() => asking.mutate("lease")} data-autofocus>
          Show the lease&apos;s secret
        </Button>
        <Button
          variant="default"
          loading={asking.isPending}
          onClick={() => asking.mutate("renter")}
        >
          Show its renter&apos;s secret
        </Button>
      </Group>
      {asking.isError && (
        <Notice tone="bad" alert>
          {refusedText(asking.error)}
        </Notice>
      )}
      {asking.data !== undefined && <Shown {...asking.data} />}
    </Stack>
  );
}

function Shown({ whose, found }: { whose: Whose; found: NameSecret }) {
  const command = `rentroll verify RPC_URL EVIDENCE --${whose} NAME --secret SECRET`;
  return (
    <Stack gap="sm">
      <Field label={whose === "lease" ? "Lease" : "Renter"} value={found.name} />
      <Field label="Its hash in evidence" value={found.hash} />
      <Field label="Secret" value={found.secret} />
      <Text size="sm">
        Anybody can look with <code style={{ overflowWrap: "anywhere" }}>{command}</code>
      </Text>
      <CopyButton value={found.secret} timeout={1_500}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} w="fit-content">
            {copied ? "Copied" : "Copy the secret"}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}

function Field({ label, value }: { label: string; value: string }) {
  return (
    <TextInput
      label={label}
      readOnly
      value={value}
      autoComplete="off"
      spellCheck={false}
      classNames={{ input: "hash" }}
      onFocus={(event) => event.currentTarget.select()}
    />
  );
}
