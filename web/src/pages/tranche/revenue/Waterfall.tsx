import { grouped } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { type Column, DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { Unknown } from "../../../parts/Unknown";
import { Cascade } from "./Cascade";
import { type Tranche, type WaterfallMoney, useWaterfall } from "../queries";

type Step = WaterfallMoney["steps"][number];

/** How rent becomes revenue of holders, from the attested statement to this tranche. */
export function Waterfall({ tranche }: { tranche: Tranche }) {
  const query = useWaterfall(tranche.token_id);
  const issued = new Map(tranche.siblings.map((s) => [s.token_id, s.units_issued]));
  const columns: Column<Step>[] = [
    {
      head: "Tranche",
      rowHead: true,
      cell: (step) => `${step.seniority}${step.token_id === tranche.token_id ? " (this one)" : ""}`,
    },
    {
      head: "Units",
      number: true,
      cell: (step) => {
        const units = issued.get(step.token_id) ?? null;
        return units === null ? <Unknown /> : grouped(units);
      },
    },
    {
      head: "Coupon due",
      number: true,
      cell: (step) =>
        step.coupon_due_micros === null ? "remainder" : <Amount micros={step.coupon_due_micros} />,
    },
    { head: "Paid to holders", number: true, cell: (step) => <Amount micros={step.paid_micros} /> },
    { head: "Arrears", number: true, cell: (step) => <Amount micros={step.arrears_micros} /> },
  ];
  return (
    <Section
      title="From rent to holder"
      anchor="waterfall"
      about="Money of the whole facility to date. Only rent that is both attested and collected is settled; a later tranche gets nothing while an earlier one is behind its coupon."
    >
      <Loaded query={query} lines={6}>
        {(found) =>
          found.attested_micros === null ? (
            <Empty title="Not on-chain yet">
              Rent flows once the facility is offered on-chain and its first statement is posted.
            </Empty>
          ) : (
            <>
              <Cascade money={found} tranche={tranche} />
              <DataTable
                caption="Waterfall by tranche"
                columns={columns}
                rows={found.steps}
                rowKey={(step) => step.token_id}
              />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}
