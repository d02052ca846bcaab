import { Code, Text } from "@mantine/core";
import { DataTable } from "../../parts/DataTable";
import type { Field } from "./fields";
import { inline } from "./Prose";

/** Fields of a body, parameters of a call. */
export function FieldTable({
  fields,
  caption,
  optional,
}: {
  fields: readonly Field[];
  caption: string;
  optional: boolean;
}) {
  return (
    <DataTable
      caption={caption}
      rows={fields}
      rowKey={(field) => field.name}
      columns={[
        {
          head: "Name",
          rowHead: true,
          cell: (field) => (
            <Code bg="transparent" p={0}>
              {field.name}
            </Code>
          ),
        },
        {
          head: "Type",
          cell: (field) => (
            <Text size="sm" span>
              {field.type}
              {optional && !field.required && (
                <Text size="xs" c="dimmed" span>
                  {" "}
                  optional
                </Text>
              )}
            </Text>
          ),
        },
        {
          head: "Meaning",
          cell: (field) => (
            <Text size="sm" miw={220} component="div">
              {inline(field.description)}
              {field.bounds !== "" && (
                <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                  {field.bounds}
                </Text>
              )}
            </Text>
          ),
        },
      ]}
    />
  );
}
