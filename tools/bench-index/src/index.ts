// One handler for all events of all contracts: it stores the event, and nothing else.
import { ponder } from "ponder:registry";
import { chainEvent } from "ponder:schema";
import { readFileSync } from "node:fs";

const task = JSON.parse(readFileSync(process.env.BENCH_INDEX_TASK!, "utf8"));
const inText = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);

for (const { name, abi } of task.contracts) {
  for (const { name: event } of abi) {
    // Names come at run time, and Ponder's types know those of compile time alone.
    // eslint-disable-next-line
    (ponder.on as any)(`${name}:${event}`, async ({ event: found, context }: any) => {
      await context.db.insert(chainEvent).values({
        id: found.id,
        blockNumber: found.block.number,
        blockTime: found.block.timestamp,
        logIndex: found.log.logIndex,
        txHash: found.transaction.hash,
        contract: name,
        event,
        payload: JSON.stringify(found.args, inText),
      });
    });
  }
}
