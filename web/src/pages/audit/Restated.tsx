import { Anchor, List, Text } from "@mantine/core";
import { Link } from "react-router";
import { useService } from "../../api/service";
import { statementName } from "../../format/statement";
import { Notice } from "../../parts/Notice";
import { type StatementRow, useRestated } from "./queries";
import { ownTime, restatedText } from "./restatedText";

/** Says that an epoch's figures are those of then, where later statements put them right. */
export function Restated({ statement }: { statement: StatementRow }) {
  const { facility_id, epoch } = statement;
  const found = useRestated(facility_id, epoch).data ?? [];
  const symbol = useService().settlement_token?.symbol ?? "";
  if (found.length === 0) return null;
  return (
    <Notice tone="info">
      <Text size="sm" fw={600}>
        {found.some(ownTime)
          ? "These figures are as they were stated then. More is known now:"
          : "Rent of this epoch\u2019s month was put right since:"}
      </Text>
      <List size="sm" mt={4}>
        {found.map((row) => (
          <List.Item key={row.epoch}>
            <Anchor
              component={Link}
              to={`/facilities/${facility_id}/epochs/${row.epoch}`}
              inherit
              underline="always"
            >
              {statementName(row)}
            </Anchor>
            : {restatedText(row, symbol)}.
          </List.Item>
        ))}
      </List>
      <Text size="xs" mt={4}>
        A statement never changes: what is put right is stated by a later one. Money is put right by
        the month, so a sum can be of another day of the same month.
      </Text>
    </Notice>
  );
}
