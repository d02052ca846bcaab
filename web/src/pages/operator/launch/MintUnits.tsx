import { NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Address, isAddress } from "viem";
import { usePublicClient } from "wagmi";
import { useContractAddress } from "../../../api/service";
import { trancheTokenAbi } from "../../../chain/abis";
import { readInvestor } from "../../../chain/facts/investors";
import { pinned } from "../../../chain/facts/pinned";
import { grouped, parseUnits } from "../../../format/money";
import { OwnSend } from "../forms/OwnSend";
import type { ChainFacts } from "../chainFacts";

/** Mints units of a tranche to one holder at a time. */
export function MintUnits({ facts }: { facts: ChainFacts }) {
  const token = useContractAddress("TrancheToken");
  const [tranche, setTranche] = useState("0");
  const [holder, setHolder] = useState("");
  const [units, setUnits] = useState("");
  const chosen = facts.tranches[Number(tranche)];
  const to = isAddress(holder.trim(), { strict: false }) ? holder.trim() : null;
  const { data: eligible } = useEligible(to);
  const count = parseUnits(units);
  const left = chosen === undefined ? 0n : chosen.capUnits - chosen.supplyUnits;
  const above = count !== null && count > left;
  const ok = to !== null && count !== null && count > 0n && !above && chosen !== undefined;
  return (
    <Stack gap="sm" maw={640}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <NativeSelect
          label="Tranche"
          value={tranche}
          onChange={(event) => setTranche(event.currentTarget.value)}
          data={facts.tranches.map((t, i) => ({
            value: String(i),
            label: `Tranche ${i} (${grouped(t.capUnits - t.supplyUnits)} units left)`,
          }))}
        />
        <TextInput
          label="Units"
          inputMode="numeric"
          value={units}
          error={
            units.trim() === "" || (count !== null && count > 0n && !above)
              ? undefined
              : above
                ? `Only ${grouped(left)} units are left.`
                : "Whole units, at least 1."
          }
          onChange={(event) => setUnits(event.currentTarget.value)}
        />
      </SimpleGrid>
      <TextInput
        label="Holder"
        placeholder="0x…"
        spellCheck={false}
        value={holder}
        error={holder.trim() === "" || to !== null ? undefined : "Not an address."}
        onChange={(event) => setHolder(event.currentTarget.value)}
      />
      {eligible === false && (
        <Text size="sm" c="var(--mantine-color-error)" role="status">
          This account is not on the allow-list of investors, so it cannot receive units.
        </Text>
      )}
      <OwnSend
        gpuOperator={facts.gpuOperator}
        disabled={eligible === false}
        onSent={() => {
          // Of what is left, the same units may be too many: the next holder begins with a blank form.
          setUnits("");
          setHolder("");
        }}
        call={
          ok
            ? {
                address: token,
                abi: trancheTokenAbi,
                functionName: "mint",
                args: [to, chosen.id, count],
                label: `Mint ${grouped(count)} units of tranche ${tranche}`,
              }
            : null
        }
      >
        Mint units
      </OwnSend>
    </Stack>
  );
}

function useEligible(account: string | null) {
  const client = usePublicClient();
  const address = useContractAddress("InvestorRegistry");
  return useQuery({
    queryKey: ["chain", "eligible", account],
    enabled: account !== null && client !== undefined,
    queryFn: async () => {
      if (client === undefined || account === null) return null;
      const entry = await readInvestor(await pinned(client), address, account as Address);
      return entry.canReceive;
    },
  });
}
