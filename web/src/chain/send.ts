/** One way to send: simulate, ask the wallet, remember, follow. */

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { type Abi, type Address, type Hash, type Hex, encodeFunctionData } from "viem";
import { useConnection, usePublicClient, useSwitchChain, useWalletClient } from "wagmi";
import { useService } from "../api/service";
import { rememberSent } from "./pending";
import { type Refusal, sentenceOf } from "./refusals";

/** A call of one of our contracts, and what it does in words. */
export interface Call {
  address: Address;
  abi: Abi;
  functionName: string;
  args: readonly unknown[];
  label: string;
}

/** A call whose calldata the service made, such as the offer of a facility. */
export interface RawCall {
  to: Address;
  data: Hex;
  label: string;
}

export type SendStep = "idle" | "checking" | "wallet" | "sent";

interface Sender {
  step: SendStep;
  refusal: Refusal | null;
  hash: Hash | null;
  /** Resolves to the hash, or to null when it was refused; `refusal` then says why. */
  send: (call: Call | RawCall) => Promise<Hash | null>;
  reset: () => void;
}

function toRaw(call: Call | RawCall): RawCall {
  if ("data" in call) return call;
  const data = encodeFunctionData({
    abi: call.abi,
    functionName: call.functionName,
    args: [...call.args],
  });
  return { to: call.address, data, label: call.label };
}

/** State of sending from a page's button. */
export function useSend(): Sender {
  const service = useService();
  const connection = useConnection();
  const client = usePublicClient();
  const { data: wallet } = useWalletClient();
  const { mutateAsync: switchChain } = useSwitchChain();
  const queries = useQueryClient();
  const [step, setStep] = useState<SendStep>("idle");
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [hash, setHash] = useState<Hash | null>(null);

  const send = useCallback(
    async (call: Call | RawCall): Promise<Hash | null> => {
      const from = connection.address;
      setRefusal(null);
      setHash(null);
      try {
        if (from === undefined || wallet === undefined || client === undefined) {
          throw new Error("Connect a wallet first.");
        }
        const { to, data, label } = toRaw(call);
        setStep("checking");
        // A refusal is found here, at no cost, instead of after paying for gas.
        await client.call({ account: from, to, data });
        if (connection.chainId !== service.chain_id)
          await switchChain({ chainId: service.chain_id });
        setStep("wallet");
        const sent = await wallet.sendTransaction({ to, data, account: from, chain: wallet.chain });
        const seen = await client.getTransaction({ hash: sent }).catch(() => null);
        rememberSent({
          hash: sent,
          chainId: service.chain_id,
          from,
          to,
          input: data,
          nonce: seen?.nonce ?? null,
          label,
          sentAtMs: Date.now(),
          state: "pending",
          replacedBy: null,
          reason: null,
        });
        setHash(sent);
        setStep("sent");
        void queries.invalidateQueries({ queryKey: ["chain"] });
        return sent;
      } catch (error) {
        setRefusal(sentenceOf(error));
        setStep("idle");
        return null;
      }
    },
    [
      connection.address,
      connection.chainId,
      wallet,
      client,
      service.chain_id,
      switchChain,
      queries,
    ],
  );

  const reset = useCallback(() => {
    setStep("idle");
    setRefusal(null);
    setHash(null);
  }, []);

  return { step, refusal, hash, send, reset };
}
