import { Anchor, Group, Stack, Text } from "@mantine/core";
import { formatEther } from "viem";
import { useService } from "../../api/service";
import { exactMoney } from "../../format/money";
import { short } from "../../format/text";
import { DataTable } from "../../parts/DataTable";
import { Account, Hash } from "../../parts/Hash";
import { Section } from "../../parts/Section";
import { Fact, Facts } from "../../parts/Facts";
import { type Argument, contractAt, decodeCall, textOf } from "./decode";
import type { Found } from "./queries";

/** Arguments in minor units of the settlement token; `value` is of its own approvals and payments. */
const MONEY = new Set(["maxCost", "amount", "cost"]);

/** Who called what, with which arguments. */
export function Called({ found }: { found: Found }) {
  const { contracts, native_symbol } = useService();
  const call = decodeCall(contracts, found.to, found.input);
  const contract = contractAt(contracts, found.to);
  return (
    <Section title="Call">
      <Stack className="surface" p="md" gap="sm" maw={560}>
        <Facts>
          <Fact name="From">
            <Account address={found.from} />
          </Fact>
          <Fact name="To">
            {found.to === null ? (
              "A new contract"
            ) : (
              <Group component="span" gap={6} display="inline-flex">
                {contract !== null && <span>{contract}</span>}
                <Hash value={found.to} />
              </Group>
            )}
          </Fact>
          <Fact name="Function">
            {call !== null ? (
              <span className="hash hash-whole">{call.functionName}</span>
            ) : found.input === "0x" ? (
              "None: a plain payment"
            ) : (
              <span className="hash">{short(found.input, 10, 0)}</span>
            )}
          </Fact>
          {found.value > 0n && (
            <Fact name="Paid along">
              {formatEther(found.value)} {native_symbol}
            </Fact>
          )}
        </Facts>
      </Stack>
      {call !== null && call.args.length > 0 && (
        <DataTable<Argument>
          caption="Arguments"
          rows={call.args}
          rowKey={(row) => row.name}
          columns={[
            { head: "Argument", rowHead: true, cell: (row) => row.name },
            { head: "Type", cell: (row) => <span className="hash">{row.type}</span> },
            {
              head: "Value",
              cell: (row) => <Value argument={row} />,
            },
          ]}
        />
      )}
      {call === null && found.input !== "0x" && (
        <Undecoded ours={contract !== null} input={found.input} />
      )}
    </Section>
  );
}

function Undecoded({ ours, input }: { ours: boolean; input: string }) {
  return (
    <Text size="sm" c="dimmed">
      {ours
        ? "This function is not in the ABI."
        : "This is no contract of Rentroll, so its calldata is not decoded here."}{" "}
      <Anchor
        component="button"
        type="button"
        inherit
        underline="always"
        onClick={() => void navigator.clipboard.writeText(input)}
      >
        Copy the calldata
      </Anchor>
    </Text>
  );
}

function Value({ argument }: { argument: Argument }) {
  const { settlement_token } = useService();
  const text = textOf(argument.value);
  if (argument.type === "address") return <Account address={text} />;
  if (text.startsWith("0x") && text.length > 20) return <Hash value={text} />;
  if (MONEY.has(argument.name) && typeof argument.value === "bigint") {
    return (
      <span className="figures" title={text}>
        {exactMoney(argument.value)} {settlement_token?.symbol}
      </span>
    );
  }
  return (
    <span className="figures hash-whole" title={text}>
      {text.length > 200 ? `${text.slice(0, 200)}…` : text}
    </span>
  );
}
