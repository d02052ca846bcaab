import { Box, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Abi, Address, Hash } from "viem";
import { useContractAddress } from "../../api/service";
import { rentLockboxAbi } from "../../chain/abis";
import { exactMoney } from "../../format/money";
import { SendButton } from "../../parts/SendButton";
import { TxState } from "../../parts/TxState";
import type { Owed } from "./liveVouchers";

/** Money that the rent lockbox credited to the account, and the button that takes it. */
export function OwedByLockbox({
  owed,
  account,
  own,
}: {
  owed: readonly Owed[];
  account: Address;
  own: boolean;
}) {
  const lockbox = useContractAddress("RentLockbox");
  const [hash, setHash] = useState<Hash | null>(null);
  return (
    <>
      {owed.map(({ token, symbol, micros }) => {
        const amount = `${exactMoney(micros)} ${symbol}`;
        return (
          <Stack key={token} className="surface" p="md" gap="sm" align="flex-start">
            <Text size="sm">
              The rent lockbox holds <strong>{amount}</strong> for {own ? "you" : "this account"}.
              {own && " It moves to your account when you withdraw it; there is no deadline."}
            </Text>
            {own && (
              <Box w="fit-content" maw="100%">
                <SendButton
                  withState={false}
                  onSent={setHash}
                  call={{
                    address: lockbox,
                    abi: rentLockboxAbi as unknown as Abi,
                    functionName: "withdraw",
                    args: [token, account],
                    label: `Withdraw ${amount} from the rent lockbox`,
                  }}
                >
                  Withdraw {amount}
                </SendButton>
              </Box>
            )}
          </Stack>
        );
      })}
      {hash !== null && <TxState hash={hash} />}
    </>
  );
}
