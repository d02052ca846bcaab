import { NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useContractAddress } from "../../../api/service";
import { trancheTokenAbi } from "../../../chain/abis";
import { useEligibility } from "../../../chain/account";
import { grouped } from "../../../format/money";
import { sentenceCase } from "../../../format/text";
import { trancheName } from "../../../format/tranche";
import type { ChainFacts } from "../chainFacts";
import { OwnSend } from "../forms/OwnSend";
import { useFields } from "../forms/useFields";
import { MINT_BLANK, mintOf, unitsLeft } from "./mintForm";

/** Mints units of a tranche to one holder at a time. */
export function MintUnits({ facts }: { facts: ChainFacts }) {
  const token = useContractAddress("TrancheToken");
  const { fields, change, input } = useFields(() => MINT_BLANK);
  const { holder, args, errors } = mintOf(fields, facts.tranches);
  const barred = useEligibility(holder).data?.canReceive === false;
  return (
    <Stack gap="sm" maw={640}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} verticalSpacing="sm">
        <NativeSelect
          label="Tranche"
          {...input("tranche")}
          data={facts.tranches.map((t, i) => ({
            value: String(i),
            label: sentenceCase(
              `${trancheName(i, facts.tranches.length)}, ${grouped(unitsLeft(t))} units left`,
            ),
          }))}
        />
        <TextInput label="Units" inputMode="numeric" {...input("units", errors.units)} />
      </SimpleGrid>
      <TextInput
        label="Holder"
        placeholder="0x…"
        spellCheck={false}
        {...input("holder", errors.holder)}
      />
      {barred && (
        <Text size="sm" c="var(--mantine-color-error)" role="status">
          This account is not on the allow-list of investors, so it cannot receive units.
        </Text>
      )}
      <OwnSend
        gpuOperator={facts.gpuOperator}
        disabled={barred}
        // Of what is left, the same units may be too many: the next holder begins with a blank form.
        onSent={() => change({ units: "", holder: "" })}
        call={
          args && {
            address: token,
            abi: trancheTokenAbi,
            functionName: "mint",
            args,
            label: `Mint ${grouped(args[2])} units of ${trancheName(Number(fields.tranche), facts.tranches.length)}`,
          }
        }
      >
        Mint units
      </OwnSend>
    </Stack>
  );
}
