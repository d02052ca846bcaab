import { Button, Menu, Text } from "@mantine/core";
import { Link } from "react-router";
import type { Address } from "viem";
import { useDisconnect } from "wagmi";
import { useService } from "../api/service";
import { useSentTransactions } from "../chain/pending";
import { short } from "../format/text";

/** The connected account in the header: its pages, its transactions, and the way out. */
export function WalletMenu({ address }: { address: Address }) {
  const { mutate: disconnect } = useDisconnect();
  const { chain_id } = useService();
  const sent = useSentTransactions(chain_id);
  const pending = sent.filter((t) => t.state === "pending").length;
  return (
    <Menu position="bottom-end" width={280} shadow="md">
      <Menu.Target>
        <Button variant="default" size="xs">
          <span className="visually-hidden">Account </span>
          <span className="hash">{short(address)}</span>
          {pending > 0 && <Text span size="xs" ml={6}>{`· ${pending} pending`}</Text>}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={`/portfolio/${address}`}>
          My portfolio
        </Menu.Item>
        <Menu.Item onClick={() => void navigator.clipboard.writeText(address)}>
          Copy address
        </Menu.Item>
        {sent.length > 0 && (
          <>
            <Menu.Divider />
            <Menu.Label>Transactions of this browser</Menu.Label>
            {sent.slice(0, 5).map((t) => (
              <Menu.Item key={t.hash} component={Link} to={`/tx/${t.hash}`}>
                <Text size="sm" truncate>
                  {t.label}
                </Text>
                <Text size="xs" c="dimmed">
                  {t.state}
                </Text>
              </Menu.Item>
            ))}
          </>
        )}
        <Menu.Divider />
        <Menu.Item onClick={() => disconnect({})}>Disconnect</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
