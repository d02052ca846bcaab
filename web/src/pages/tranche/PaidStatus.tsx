import { usePaid } from "../../chain/paid";
import { EpochStatus } from "../../parts/EpochStatus";
import type { Statement } from "./queries";

/** The state of a statement, and of one that a settlement counts how much of its rent came, by the chain's node. */
export function PaidStatus({ statement }: { statement: Statement }) {
  const { facility_id, epoch, state, gross_revenue_micros: grossMicros } = statement;
  const { data } = usePaid(facility_id, state === "settled" ? [{ epoch, grossMicros }] : []);
  return <EpochStatus state={state} grossMicros={grossMicros} paid={data?.get(epoch)} />;
}
