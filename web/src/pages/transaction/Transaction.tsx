import { Stack, Text } from "@mantine/core";
import { useParams } from "react-router";
import type { Hash as HexHash } from "viem";
import { useService } from "../../api/service";
import { useSentTransaction } from "../../chain/pending";
import { Hash } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { PageHead } from "../../parts/PageHead";
import { Called } from "./Called";
import { Events } from "./Events";
import { Outcome } from "./Outcome";
import { SentNote } from "./SentNote";
import { useTransaction } from "./queries";

/** One transaction, by the chain alone: what it is, what became of it, what it did. */
export function Transaction() {
  const { hash = "" } = useParams();
  if (!/^0x[0-9a-fA-F]{64}$/.test(hash)) {
    return (
      <Stack>
        <PageHead title="Transaction" />
        <Notice tone="bad" alert>
          This is no hash of a transaction: 0x and 64 hexadecimal digits.
        </Notice>
      </Stack>
    );
  }
  return <Of key={hash} hash={hash.toLowerCase() as HexHash} />;
}

function Of({ hash }: { hash: HexHash }) {
  const { chain_id, chain_name, explorer_url } = useService();
  const sent = useSentTransaction(chain_id, hash);
  const query = useTransaction(hash);
  return (
    <Stack gap="xl">
      <PageHead
        title={sent?.label ?? "Transaction"}
        about={
          <Stack gap={2}>
            <Hash value={hash} whole />
            <Text size="sm">
              Read from a node of {chain_name}, not from this service.
              {explorer_url !== null && (
                <>
                  {" "}
                  <a href={`${explorer_url.replace(/\/$/, "")}/tx/${hash}`} rel="noreferrer">
                    See it in the explorer
                  </a>
                  .
                </>
              )}
            </Text>
          </Stack>
        }
      />
      <Loaded query={query} lines={6}>
        {(transaction) => (
          <Stack gap="xl">
            <SentNote hash={hash} sent={sent} transaction={transaction} />
            <Outcome transaction={transaction} />
            {transaction.found !== null && <Called found={transaction.found} />}
            {transaction.mined !== null && (
              <Events logs={transaction.mined.logs} success={transaction.mined.success} />
            )}
          </Stack>
        )}
      </Loaded>
    </Stack>
  );
}
