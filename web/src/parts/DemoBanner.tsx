import { Anchor, Button, Collapse, Group, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useService } from "../api/service";
import { Account } from "./Hash";
import { Notice } from "./Notice";

/** On a demo: what it is, and the test accounts of each role. Absent on a real deployment. */
export function DemoBanner() {
  const { demo_accounts, rpc_url, chain_id } = useService();
  const [opened, { toggle }] = useDisclosure(false);
  if (demo_accounts.length === 0) return null;
  return (
    <Notice tone="info">
      <Group gap="xs">
        <Text size="sm">
          A demo on a local chain: its dollars are worth nothing, its keys are public.
        </Text>
        <Button
          size="compact-sm"
          variant="transparent"
          px={0}
          td="underline"
          onClick={toggle}
          aria-expanded={opened}
          color="blue.9"
          c="inherit"
        >
          {opened ? "Hide test accounts" : "Test accounts"}
        </Button>
      </Group>
      <Collapse expanded={opened}>
        <Stack gap="xs" mt="xs">
          <Text size="sm">
            Add the network <span className="hash">{rpc_url}</span> (chain id {chain_id}) to a
            wallet and import the well-known seed phrase of local chains{" "}
            <span className="hash">
              test test test test test test test test test test test junk
            </span>
            . Never send real money to these accounts. Without a wallet you can read everything: try{" "}
            <Anchor
              underline="always"
              href={`/portfolio/${demo_accounts.find((a) => a.role === "investor")?.address ?? ""}`}
            >
              an investor's portfolio
            </Anchor>
            .
          </Text>
          <div className="table-frame">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Role</Table.Th>
                  <Table.Th scope="col">Account</Table.Th>
                  <Table.Th scope="col">For</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {demo_accounts.map((account) => (
                  <Table.Tr key={account.address + account.role}>
                    <Table.Td>{account.name}</Table.Td>
                    <Table.Td>
                      <Account address={account.address} />
                    </Table.Td>
                    <Table.Td>{account.note}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </Stack>
      </Collapse>
    </Notice>
  );
}
