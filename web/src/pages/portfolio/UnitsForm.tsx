import { Box } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Abi, Hash } from "viem";
import { useContractAddress } from "../../api/service";
import { trancheTokenAbi } from "../../chain/abis";
import { parseUnits } from "../../format/money";
import { SendButton } from "../../parts/SendButton";
import { UnitsInput, problemWithFree } from "./UnitsInput";

/** A call of the tranche token that uses units. */
export interface UnitsCall {
  functionName: string;
  args: readonly unknown[];
  label: string;
}

/** So many of the free units, what else the call needs, and the button that sends it. */
export function UnitsForm({
  free,
  word,
  callOf,
  onSent,
  children,
}: {
  free: bigint;
  /** On the button. */
  word: string;
  /** The call for so many units; null while something of it is missing. */
  callOf: (units: bigint) => UnitsCall | null;
  onSent: (hash: Hash) => void;
  children?: ReactNode;
}) {
  const token = useContractAddress("TrancheToken");
  const [text, setText] = useState("");
  const units = parseUnits(text);
  const call = units !== null && problemWithFree(units, free) === null ? callOf(units) : null;
  return (
    <>
      <UnitsInput text={text} onText={setText} free={free} />
      {children}
      <Box w="fit-content" maw="100%">
        <SendButton
          disabled={call === null}
          withState={false}
          onSent={(hash) => {
            setText("");
            onSent(hash);
          }}
          call={
            call === null
              ? null
              : { address: token, abi: trancheTokenAbi as unknown as Abi, ...call }
          }
        >
          {word}
        </SendButton>
      </Box>
    </>
  );
}
