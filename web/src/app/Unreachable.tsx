import { Button, Container, Stack, Text, Title } from "@mantine/core";

/** The page when even the service's settings cannot be read. */
export function Unreachable({ problem, onRetry }: { problem: string; onRetry: () => void }) {
  return (
    <Container component="main" size="xs" py={96}>
      <Stack align="flex-start">
        <Title order={1} size="h3">
          The service does not answer
        </Title>
        <Text>Your units and revenue are on-chain and not affected. Try again in a moment.</Text>
        <Text size="sm" c="dimmed" role="alert">
          {problem}
        </Text>
        <Button onClick={onRetry}>Try again</Button>
      </Stack>
    </Container>
  );
}
