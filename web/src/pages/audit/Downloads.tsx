import { Anchor, Group } from "@mantine/core";
import { evidenceUrl } from "./queries";

/** Evidence files to save, byte for byte as published. */
export function Downloads({
  files,
  label,
}: {
  files: readonly { name: string; path: string }[];
  label: string;
}) {
  return (
    <Group component="ul" gap={0} m={0} p={0} aria-label={label} style={{ listStyle: "none" }}>
      {files.map(({ name, path }) => (
        <li key={path}>
          <Anchor
            href={evidenceUrl(path)}
            download={path.replaceAll("/", "-")}
            size="sm"
            className="hash"
            display="inline-block"
            py={4}
            pr="md"
          >
            {name}
          </Anchor>
        </li>
      ))}
    </Group>
  );
}
