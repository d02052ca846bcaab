// One row an event, as the service keeps it: where it is, of what, and its arguments.
import { onchainTable } from "ponder";

export const chainEvent = onchainTable("chain_event", (t) => ({
  id: t.text().primaryKey(),
  blockNumber: t.bigint().notNull(),
  blockTime: t.bigint().notNull(),
  logIndex: t.integer().notNull(),
  txHash: t.hex().notNull(),
  contract: t.text().notNull(),
  event: t.text().notNull(),
  payload: t.text().notNull(),
}));
