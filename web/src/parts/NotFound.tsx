import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { PageHead } from "./PageHead";

export function NotFound() {
  return (
    <Stack>
      <PageHead title="There is no such page" />
      <Text>
        The address may be mistyped.{" "}
        <Anchor component={Link} to="/" underline="always">
          Go to the market
        </Anchor>
        .
      </Text>
    </Stack>
  );
}
