import { Text } from "@mantine/core";
import type { Address } from "viem";
import { useEligibility } from "../../chain/account";
import { date } from "../../format/time";
import { Notice } from "../../parts/Notice";

/** What the allow-list of investors lets the account do. Claims never depend on it. */
export function EligibilityNote({ account, own }: { account: Address; own: boolean }) {
  const { data, isError } = useEligibility(account);
  const who = own ? "Your account" : "This account";
  if (isError) {
    return (
      <Notice tone="warning">
        Whether {own ? "your" : "this"} account may hold units could not be read from the chain.
      </Notice>
    );
  }
  if (data === undefined) return <Text size="sm">&nbsp;</Text>;
  if (data.canSend && data.canReceive) {
    return (
      <Text size="sm">
        <Text span c="var(--rr-good)" inherit>
          <span aria-hidden="true">✓ </span>On the allow-list of investors
        </Text>
        {data.expiresAtS !== null && ` until ${date(data.expiresAtS)}`}: may send and receive units.
        {data.kind === "contract" && " It is a contract."}
      </Text>
    );
  }
  const known = data.expiresAtS !== null;
  return (
    <Notice tone="warning">
      {data.canSend || data.canReceive
        ? `${who} may ${data.canSend ? "send units, but not receive any" : "receive units, but not send any"}.`
        : known
          ? `${who} is stopped: its entry in the allow-list of investors ended or forbids sending and receiving.`
          : `${who} is not on the allow-list of investors: it can neither send nor receive units.`}{" "}
      Revenue that it earned stays its own, and claims work as ever.
    </Notice>
  );
}
