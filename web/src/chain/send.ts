/** One way to send: prepare, simulate, ask the wallet, remember, follow. */

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { type Abi, type Address, type Hash, type Hex, encodeFunctionData } from "viem";
import { useConfig, useConnection, usePublicClient, useSwitchChain } from "wagmi";
import { getWalletClient } from "wagmi/actions";
import { useService } from "../api/service";
import { isContractCode } from "./code";
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

/** A call, or what makes it: a question to the service, or a signature of the wallet. */
export type Sendable = Call | RawCall | (() => Promise<Call | RawCall>);

export type SendStep = "idle" | "preparing" | "checking" | "wallet" | "sent";

interface Sender {
  step: SendStep;
  refusal: Refusal | null;
  hash: Hash | null;
  /** Resolves to the hash, or to null when it was refused; `refusal` then says why. */
  send: (call: Sendable) => Promise<Hash | null>;
  reset: () => void;
}

export function toRaw(call: Call | RawCall): RawCall {
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
  const { chain_id } = useService();
  const { address: from, chainId } = useConnection();
  const config = useConfig();
  const client = usePublicClient();
  const { mutateAsync: switchChain } = useSwitchChain();
  const queries = useQueryClient();
  const [step, setStep] = useState<SendStep>("idle");
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [hash, setHash] = useState<Hash | null>(null);

  const send = useCallback(
    async (call: Sendable): Promise<Hash | null> => {
      setRefusal(null);
      setHash(null);
      try {
        if (from === undefined || client === undefined) throw new Error("Connect a wallet first.");
        if (chainId !== chain_id) await switchChain({ chainId: chain_id });
        setStep("preparing");
        const made = typeof call === "function" ? await call() : call;
        const { to, data, label } = toRaw(made);
        setStep("checking");
        // A refusal is found here, at no cost, instead of after paying for gas.
        await client.call({ account: from, to, data });
        const code = await client.getCode({ address: from }).catch(() => undefined);
        setStep("wallet");
        // Asked for now, not at rendering: after a switch of networks it is another one.
        const wallet = await getWalletClient(config, { account: from, chainId: chain_id });
        const sent = await wallet.sendTransaction({ to, data, account: from, chain: wallet.chain });
        // Remembered before anything else: a reload in this moment loses nothing. The Watcher looks its nonce up.
        rememberSent({
          hash: sent,
          chainId: chain_id,
          from,
          to,
          input: data,
          nonce: null,
          label,
          sentAtMs: Date.now(),
          state: "pending",
          replacedBy: null,
          reason: null,
          fromContract: isContractCode(code),
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
    [from, chainId, chain_id, client, config, switchChain, queries],
  );

  const reset = useCallback(() => {
    setStep("idle");
    setRefusal(null);
    setHash(null);
  }, []);

  return { step, refusal, hash, send, reset };
}
