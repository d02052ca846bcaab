import { Anchor, Container, Stack, Text, Title } from "@mantine/core";
import { useRouteError } from "react-router";

/** A fault of ours: says so, and that nothing on-chain is affected. */
export function Failed() {
  const error = useRouteError();
  const message = error instanceof Error ? error.message : String(error);
  return (
    <Container component="main" size="sm" py={96}>
      <Stack>
        <Title order={1} size="h3">
          This page failed
        </Title>
        <Text>
          It is our fault, and nothing on-chain is affected.{" "}
          <Anchor underline="always" href="">
            Load it again
          </Anchor>{" "}
          or{" "}
          <Anchor underline="always" href="/">
            go to the market
          </Anchor>
          .
        </Text>
        <Text size="sm" c="dimmed" role="alert">
          {message}
        </Text>
      </Stack>
    </Container>
  );
}
