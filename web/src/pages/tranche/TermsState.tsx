import { Text } from "@mantine/core";
import { Status } from "../../parts/Status";
import { useTermsCheck } from "./termsCheck";

/** Whether the published terms equal the hash on-chain; said only after this browser compared them. */
export function TermsState({ facilityId, path }: { facilityId: number; path: string }) {
  const check = useTermsCheck(facilityId, path);
  if (check.isError) {
    return (
      <Text span size="sm" c="dimmed">
        Not checked: {check.error.message.split("\n", 1)[0]}
      </Text>
    );
  }
  if (check.data === undefined) {
    return (
      <Text span size="sm" c="dimmed">
        {check.fetchStatus === "idle" ? "Not checked: nothing is deployed" : "Checking…"}
      </Text>
    );
  }
  return check.data.state === "equal" ? (
    <Status state="equal" tone="good">
      Equals termsHash, checked by this browser
    </Status>
  ) : (
    <Status state="differs" tone="bad">
      Differs from termsHash on-chain
    </Status>
  );
}
