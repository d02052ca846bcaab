import { Anchor, Code, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useService } from "../../api/service";
import { Section } from "../../parts/Section";
import { Downloads } from "./Downloads";

/** How to recompute everything without this service, and what even that leaves to trust. */
export function VerifyYourself() {
  const { rpc_url, contracts } = useService();
  const registry = contracts.StatementRegistry ?? "ADDRESS";
  const command = `rentroll verify ${rpc_url} ${location.origin}/v1/evidence --registry ${registry}`;
  return (
    <div id="verify-yourself">
      <Section title="Recompute it yourself">
        <Stack gap="sm" maw={820}>
          <Text size="sm">
            The command-line verifier reads a node and the evidence files, nothing else of ours. It
            recomputes every line, root, charge and share, checks signatures and quorum, replays
            rent, settlements, streams and claims, and names the first thing that differs.
          </Text>
          <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {command}
          </Code>
          <Text size="sm">
            Replace the node by one that you trust, and the address by one from a source that you
            trust: both above come from this service. What no recomputation shows is whether the
            metering is true, and whether events were withheld from every attester.
          </Text>
          <Downloads
            label="Published documents"
            files={[{ name: "deployment.json", path: "deployment.json" }]}
          />
          <Text size="sm" c="dimmed">
            Every answer of the service is described in the{" "}
            <Anchor component={Link} to="/docs" inherit underline="always">
              API reference
            </Anchor>
            .
          </Text>
        </Stack>
      </Section>
    </div>
  );
}
