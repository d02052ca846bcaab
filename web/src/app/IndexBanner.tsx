import { Text } from "@mantine/core";
import { useServiceStatus } from "../api/clock";
import { Notice } from "../parts/Notice";
import { standingOf } from "./standing";

/** On every page, while what it shows is old or may be wrong: since when, and why. */
export function IndexBanner() {
  const { data } = useServiceStatus();
  const standing = data === undefined ? null : standingOf(data);
  if (standing === null) return null;
  return (
    <Notice tone={standing.tone} alert>
      <Text size="sm" fw={600}>
        {standing.sentence}
      </Text>
      {standing.reason !== null && <Text size="xs">{standing.reason}</Text>}
    </Notice>
  );
}
