import {
  Button,
  CopyButton,
  Group,
  NativeSelect,
  Stack,
  Text,
  TextInput,
  Textarea,
} from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useConnection, useConfig } from "wagmi";
import { getWalletClient } from "wagmi/actions";
import { useNow } from "../../../api/clock";
import { useContractAddress, useService } from "../../../api/service";
import { type DeliveryOrder, orderText, randomNonce, typedOrder } from "../../../chain/order";
import { sentenceOf } from "../../../chain/refusals";
import { counted } from "../../../format/money";
import { ConnectButton } from "../../../parts/ConnectButton";
import { Account } from "../../../parts/Hash";
import { Notice } from "../../../parts/Notice";
import { useFields } from "../forms/useFields";
import { type TrancheFacts, useChainFacts } from "../chainFacts";
import type { ConsoleFacility, Lease } from "../queries";
import { sameAccount } from "../session/session";
import type { FieldErrors } from "../launch/offerForm";
import { type OrderFields, orderDefaults, orderOf } from "./orderForm";

/** Signs a delivery order in the wallet, and shows the text that the holder pastes. Nothing is sent or stored. */
export function SignOrder({ facility, lease }: { facility: ConsoleFacility; lease: Lease }) {
  const nowS = useNow();
  const facts = useChainFacts(facility.facility_id).data;
  const { address } = useConnection();
  const { fields, input } = useFields(() => orderDefaults(nowS, facility.window_end_s));
  const [nonce, setNonce] = useState(randomNonce);
  const { order, errors } = orderOf(fields, {
    facilityId: BigInt(facility.facility_id),
    lease: lease.lease as `0x${string}`,
    nonce,
    nowS,
  });
  const signing = useSignOrder();
  const gpuOperator = facts?.gpuOperator;
  const stranger =
    address !== undefined && gpuOperator !== undefined && !sameAccount(address, gpuOperator);
  const sign = (chosen: DeliveryOrder) =>
    signing.mutate(chosen, { onSuccess: () => setNonce(randomNonce()) });

  return (
    <Stack gap="sm">
      <Text size="sm">
        The holder may burn so many units for compute under this lease, once. Each unit is an hour,
        less the part of the window that is over when it is burned; in a tranche with a coupon, at
        most what the coupon buys at your bond&apos;s rate. What you do not deliver, your bond pays.
      </Text>
      <OrderInputs tranches={facts?.tranches ?? []} input={input} errors={errors} />
      {stranger && (
        <Notice tone="warning">
          Only <Account address={gpuOperator} /> can sign for this facility: connect that account in
          your wallet.
        </Notice>
      )}
      {address === undefined ? (
        <ConnectButton />
      ) : (
        <Group>
          <Button
            disabled={order === null || stranger || facts === undefined}
            loading={signing.isPending}
            onClick={() => order !== null && sign(order)}
          >
            Sign the order
          </Button>
        </Group>
      )}
      {signing.error !== null && (
        <Notice tone="bad" alert>
          {sentenceOf(signing.error).sentence}
        </Notice>
      )}
      {signing.data !== undefined && <Signed text={signing.data} />}
    </Stack>
  );
}

function OrderInputs({
  tranches,
  input,
  errors,
}: {
  tranches: readonly TrancheFacts[];
  input: (key: keyof OrderFields, error?: string) => object;
  errors: FieldErrors;
}) {
  return (
    <>
      <TextInput
        label="Holder"
        placeholder="0x…"
        required
        data-autofocus
        {...input("holder", errors["holder"])}
      />
      <NativeSelect
        label="Tranche"
        data={tranches.map((t, seniority) => ({
          value: String(seniority),
          label: `${seniority} (${counted(t.supplyUnits, "unit")})`,
        }))}
        {...input("seniority")}
      />
      <TextInput label="Units" inputMode="numeric" required {...input("units", errors["units"])} />
      <TextInput
        type="datetime-local"
        label="Counts until (UTC)"
        required
        {...input("deadline", errors["deadline"])}
      />
    </>
  );
}

function useSignOrder() {
  const config = useConfig();
  const { chain_id } = useService();
  const { address } = useConnection();
  const desk = useContractAddress("DeliveryDesk");
  return useMutation({
    mutationFn: async (order: DeliveryOrder): Promise<string> => {
      if (address === undefined) throw new Error("Connect a wallet first.");
      const wallet = await getWalletClient(config, { account: address, chainId: chain_id });
      const typed = typedOrder(order, chain_id, desk);
      const signature = await wallet.signTypedData({ account: address, ...typed });
      return orderText({ order, signature });
    },
  });
}

function Signed({ text }: { text: string }) {
  return (
    <Stack gap="xs">
      <Textarea
        label="Signed order"
        description="Give this text to the holder, who pastes it under Portfolio, Use units, Take delivery."
        readOnly
        autosize
        value={text}
      />
      <CopyButton value={text} timeout={1_500}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} w="fit-content">
            {copied ? "Copied" : "Copy the order"}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}
