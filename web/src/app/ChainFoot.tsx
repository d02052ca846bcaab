import { Anchor, Container, Group, Text } from "@mantine/core";
import { Link } from "react-router";
import { useServiceStatus } from "../api/clock";
import { useService } from "../api/service";
import { grouped } from "../format/money";
import { instant } from "../format/time";
import classes from "./Shell.module.css";

/** What the figures of the page are as of, and where to look further. */
export function ChainFoot() {
  const { chain_name } = useService();
  const { data, isError } = useServiceStatus();
  const behind =
    data?.chain_head != null && data.indexed_block != null
      ? data.chain_head - data.indexed_block
      : null;
  return (
    <footer className={classes.foot}>
      <Container size="xl" py="md">
        <Group justify="space-between" gap="sm">
          <Text size="xs" c="dimmed" className="figures">
            {isError
              ? "The service does not answer just now; figures are as last read."
              : data?.indexed_block == null
                ? `${chain_name}: nothing indexed yet.`
                : `${chain_name}, as of block ${grouped(data.indexed_block)}${behind !== null && behind > 0 ? ` (${grouped(behind)} behind the head)` : ""}, ${instant(data.now_s)}.`}
          </Text>
          <Group gap="md">
            <Anchor component={Link} to="/audit" size="xs">
              Verify
            </Anchor>
            <Anchor component={Link} to="/docs" size="xs">
              API
            </Anchor>
            <Text size="xs" c="dimmed">
              Not audited: do not put money into it.
            </Text>
          </Group>
        </Group>
      </Container>
    </footer>
  );
}
