import { Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { grouped, percentOfBps, percentOfPpm } from "../../format/money";
import { quorum } from "../../format/attesters";
import { duration, instant } from "../../format/time";
import { Account, Hash } from "../../parts/Hash";
import { Section } from "../../parts/Section";
import classes from "./Tranche.module.css";
import { type Facility, type Tranche, useFacility } from "./queries";

/** The terms as they were offered; they cannot change. */
export function Terms({ tranche }: { tranche: Tranche }) {
  const { terms } = tranche;
  const { data: facility } = useFacility(tranche.facility_id);
  const sealedAtS = tranche.window_end_s + terms.seal_s;
  const capacity = ((tranche.window_end_s - tranche.window_start_s) / 3_600) * tranche.device_count;
  return (
    <Section
      title="Terms"
      anchor="terms"
      about="Fixed on-chain when the facility was offered; nobody can change them."
    >
      <dl className={`surface ${classes.terms ?? ""}`}>
        <Term name="Operator">
          <Account address={tranche.operator.address} name={tranche.operator.name} />
        </Term>
        <Term name="Facility">
          {tranche.facility_id}
          {terms.epochs_posted > 0 && (
            <>
              {" · "}
              <Anchor component={Link} to={`/facilities/${tranche.facility_id}/epochs/0`} inherit>
                first epoch
              </Anchor>
            </>
          )}
        </Term>
        <Term name="Token id (ERC-1155)">{tranche.token_id}</Term>
        <Term name="GPUs pledged">
          {grouped(tranche.device_count)} × {tranche.gpu_class}
        </Term>
        <Term name="Site">{tranche.site}</Term>
        <Term name="Capacity of the window">{grouped(Math.floor(capacity))} GPU-hours</Term>
        <Term name="Window begins">{instant(tranche.window_start_s)}</Term>
        <Term name="Window ends">{instant(tranche.window_end_s)}</Term>
        <Term name="Epochs">
          {grouped(terms.epoch_count)} of {duration(tranche.epoch_length_s)},{" "}
          {grouped(terms.epochs_posted)} posted
        </Term>
        <Term name="Promised availability">{percentOfPpm(terms.promised_availability_ppm)}</Term>
        <Term name="A device that nobody sees">
          {terms.silence === "available" ? "counts as available" : "is not available"}
        </Term>
        <Term name="Patience with an open epoch">{duration(terms.patience_s)}</Term>
        <Term name="Seal">
          {duration(terms.seal_s)} after the window, over {instant(sealedAtS)}
        </Term>
        <Term name="Long stop">{instant(sealedAtS + terms.long_stop_s)}</Term>
        <Term name="Fee on rent settled">{percentOfBps(terms.fee_bps)}</Term>
        <Term name="Attesters' share of the fee">{percentOfBps(terms.attester_fee_bps)}</Term>
        <Term name="Paid in">
          <Hash value={terms.settlement_token} />
        </Term>
        <Term name="Pledge root">
          <Hash value={terms.pledge_root} />
        </Term>
        <Term name="Attesters">{facility !== undefined && <Panel facility={facility} />}</Term>
        <Term name="Devices approved by attesters">
          {facility !== undefined && <Approved facility={facility} />}
        </Term>
        <Term name="Terms hash">
          <Hash value={terms.terms_hash} />
        </Term>
      </dl>
    </Section>
  );
}

/** Who signs for the facility. */
function Panel({ facility: { panel } }: { facility: Facility }) {
  if (panel === null) return <>named with the offer</>;
  return (
    <>
      <Anchor component={Link} to="/audit#attesters" underline="always" inherit>
        panel {panel.number}
      </Anchor>
      , {quorum(panel.threshold, panel.attesters.length)} sign
    </>
  );
}

/** When the panel approved the devices. */
function Approved({ facility: { pledge } }: { facility: Facility }) {
  return <>{pledge.approved_at === null ? "not yet" : instant(pledge.approved_at)}</>;
}

function Term({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="figures">{children}</dd>
    </div>
  );
}
