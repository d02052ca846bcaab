import { Box, Stack, Text, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Abi, Address, Hash } from "viem";
import { usePublicClient } from "wagmi";
import { useNow } from "../../api/clock";
import { useContractAddress } from "../../api/service";
import { deliveryDeskAbi } from "../../chain/abis";
import { readGpuSeconds } from "../../chain/facts/desk";
import { pinned } from "../../chain/facts/pinned";
import { type SignedOrder, parseOrder, problemWithOrder } from "../../chain/order";
import { counted, gpuHours } from "../../format/money";
import { instant } from "../../format/time";
import { nameInFacility } from "../../format/tranche";
import { Notice } from "../../parts/Notice";
import { SendButton } from "../../parts/SendButton";
import type { Held } from "./queries";

const OPEN_STATES = ["funded", "delivering"];

/** GPU-seconds that units of a tranche give at the newest block; null where they give none. */
function useGpuSeconds(tokenId: string, units: bigint) {
  const client = usePublicClient();
  const desk = useContractAddress("DeliveryDesk");
  return useQuery({
    queryKey: ["chain", "gpuSeconds", tokenId, String(units)],
    enabled: client !== undefined && desk !== undefined,
    refetchInterval: 4_000,
    queryFn: async (): Promise<bigint | null> => {
      if (client === undefined || desk === undefined) throw new Error("Nothing is deployed.");
      return readGpuSeconds(await pinned(client), desk, BigInt(tokenId), units);
    },
  });
}

/** Burns units for compute, on an order that the operator signed. */
export function Delivery({
  account,
  held,
  onSent,
}: {
  account: Address;
  held: Held;
  onSent: (hash: Hash) => void;
}) {
  const { token_id, state } = held.row;
  const [text, setText] = useState("");
  const nowS = useNow();
  const signed = parseOrder(text);
  const own = { account, id: BigInt(token_id), free: held.free, nowS };
  const problem = signed === null ? null : problemWithOrder(signed, own);

  if (!OPEN_STATES.includes(state)) {
    return (
      <Notice tone="info">
        Delivery is taken while a facility is funded or delivering. This one is {state}.
      </Notice>
    );
  }
  return (
    <Stack gap="sm" align="stretch">
      <Text size="sm" maw={640}>
        Taking delivery burns units and gives a voucher: the operator owes you the compute inside
        the delivery window, and what stays open is paid in money when the facility is closed, at
        the bond's rate and as far as bond and unearned proceeds go. Burned units earn no more
        revenue; what they earned stays yours.
      </Text>
      <Gives tokenId={token_id} units={1n} word="A unit" />
      <Textarea
        label="Delivery order"
        description="First agree a lease with the operator, who signs an order and gives you its text. It names your account, the units, the lease and a last day, and counts once."
        placeholder='{"holder":"0x…"'
        autosize
        minRows={3}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={
          text.trim() !== "" && signed === null
            ? "This is no delivery order. Paste the whole text that the operator's console made."
            : (problem ?? undefined)
        }
        spellCheck={false}
        autoComplete="off"
        maw={640}
      />
      {signed !== null && problem === null && (
        <>
          <Text size="sm">
            For {counted(signed.order.units, "unit")}, until{" "}
            {instant(Number(signed.order.deadline))}.
          </Text>
          <Gives
            tokenId={token_id}
            units={signed.order.units}
            word={`${counted(signed.order.units, "unit")} together`}
          />
        </>
      )}
      <Take held={held} signed={problem === null ? signed : null} onSent={onSent} />
    </Stack>
  );
}

/** What so many units give now, which falls with every second of the window. */
function Gives({ tokenId, units, word }: { tokenId: string; units: bigint; word: string }) {
  const { data } = useGpuSeconds(tokenId, units);
  if (data === undefined) return null;
  return (
    <Text size="sm" maw={640}>
      {data === null || data === 0n
        ? `${word} would give nothing now: the window is over, the facility ended, the bond's terms have no rate, or coupons of more senior tranches take all that the promised hours are worth at it.`
        : `${word} would give ${gpuHours(data)} GPU-hours now: an hour for each unit, less the part of the window that is over; of a tranche with a coupon, at most what the coupon buys at the bond's rate; and at most what all promised hours at that rate leave to its tranche, after coupons of more senior ones.`}
    </Text>
  );
}

function Take({
  held,
  signed,
  onSent,
}: {
  held: Held;
  signed: SignedOrder | null;
  onSent: (hash: Hash) => void;
}) {
  const desk = useContractAddress("DeliveryDesk");
  return (
    <Box w="fit-content" maw="100%">
      <SendButton
        disabled={signed === null}
        withState={false}
        onSent={onSent}
        call={
          signed === null
            ? null
            : {
                address: desk,
                abi: deliveryDeskAbi as unknown as Abi,
                functionName: "takeDelivery",
                args: [signed.order, signed.signature],
                label: `Delivery for ${counted(signed.order.units, "unit")} of ${nameInFacility(held.row)}`,
              }
        }
      >
        Burn units and take delivery
      </SendButton>
    </Box>
  );
}
