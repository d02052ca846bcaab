import { Button } from "@mantine/core";
import { useState } from "react";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { ImportLeases } from "../files/ImportLeases";
import { Dialog } from "../forms/Dialog";
import { type ConsoleFacility, useLeases } from "../queries";
import { AddPrice, CloseLease, OpenLease } from "./LeaseDialogs";
import { LeaseTable, type Shown } from "./LeaseTable";
import { NameSecrets } from "./NameSecrets";
import { SignOrder } from "./SignOrder";

const TITLES = {
  price: "New price of",
  close: "Close",
  order: "Delivery order under",
  names: "Secrets of",
} as const;

function titleOf(dialog: Shown | null): string {
  if (dialog === null || dialog.kind === "open") return "Open a lease";
  if (dialog.kind === "file") return "Leases from a file";
  return `${TITLES[dialog.kind]} ${dialog.lease.lease_id}`;
}

/** Leases and their prices, with what can be changed of them. */
export function Leases({ facility }: { facility: ConsoleFacility }) {
  const query = useLeases(facility.facility_id);
  const [dialog, setDialog] = useState<Shown | null>(null);
  const done = () => setDialog(null);
  return (
    <Section
      title="Leases and prices"
      about="What renters agreed to. Prices are of one GPU-hour unless they say of how many GPUs, in the settlement token. Terms are versions: the newest one that has begun counts, and a new one can begin in the past."
      actions={
        <>
          <Button variant="default" onClick={() => setDialog({ kind: "file" })}>
            Import from a file
          </Button>
          <Button onClick={() => setDialog({ kind: "open" })}>Open a lease</Button>
        </>
      }
    >
      <Loaded query={query}>
        {(leases) =>
          leases.length === 0 ? (
            <Empty title="No lease yet">
              Metering needs a lease to be billed to. Open one here, import a file of them, or let
              your collector send a lease event.
            </Empty>
          ) : (
            <LeaseTable leases={leases} onDialog={setDialog} />
          )
        }
      </Loaded>
      <Dialog title={titleOf(dialog)} opened={dialog !== null} onClose={done}>
        {dialog?.kind === "open" && <OpenLease facility={facility} onDone={done} />}
        {dialog?.kind === "file" && <ImportLeases facility={facility} onDone={done} />}
        {dialog?.kind === "price" && (
          <AddPrice facilityId={facility.facility_id} lease={dialog.lease} onDone={done} />
        )}
        {dialog?.kind === "order" && <SignOrder facility={facility} lease={dialog.lease} />}
        {dialog?.kind === "names" && (
          <NameSecrets facilityId={facility.facility_id} lease={dialog.lease} />
        )}
        {dialog?.kind === "close" && (
          <CloseLease facilityId={facility.facility_id} lease={dialog.lease} onDone={done} />
        )}
      </Dialog>
    </Section>
  );
}
