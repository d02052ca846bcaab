import { Anchor, Container, Group, Text } from "@mantine/core";
import { Link } from "react-router";
import { useServiceStatus } from "../api/clock";
import { useService } from "../api/service";
import classes from "./Shell.module.css";
import { asOf } from "./standing";

/** What the figures of the page are as of, and where to look further. */
export function ChainFoot() {
  const { chain_name } = useService();
  const { data, isError } = useServiceStatus();
  return (
    <footer className={classes.foot}>
      <Container size="xl" py="md">
        <Group justify="space-between" gap="sm">
          <Text size="xs" c="dimmed" className="figures">
            {isError
              ? "The service does not answer just now; figures are as last read."
              : data === undefined
                ? chain_name
                : asOf(data, chain_name)}
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
