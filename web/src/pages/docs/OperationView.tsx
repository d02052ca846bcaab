import { Anchor, Button, Code, CopyButton, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { curlOf } from "./curl";
import { fieldsOf, parametersOf, typeOf } from "./fields";
import { type OpenApi, type Operation, securityText } from "./openapi";
import { FieldTable } from "./FieldTable";
import { Prose, inline } from "./Prose";
import classes from "./Docs.module.css";

/** One operation: closed it is a line, open it is everything about it. */
export function OperationView({
  api,
  operation,
  linked,
}: {
  api: OpenApi;
  operation: Operation;
  linked: boolean;
}) {
  const [opened, setOpened] = useState(linked);
  const { operationId, method, path, description = "" } = operation;
  const first = description.trim().split("\n")[0] ?? "";
  return (
    <details
      id={operationId}
      className={`surface ${classes.operation}`}
      open={opened}
      onToggle={(event) => setOpened(event.currentTarget.open)}
    >
      <summary className={classes.summary}>
        <span className={classes.method} data-method={method}>
          {method}
        </span>
        <span className={classes.path}>{path}</span>
        <Text span size="sm" c="dimmed" className={classes.first ?? ""}>
          {inline(first)}
        </Text>
      </summary>
      {opened && <Body api={api} operation={operation} />}
    </details>
  );
}

function Body({ api, operation }: { api: OpenApi; operation: Operation }) {
  const {
    operationId,
    description,
    parameters = [],
    security,
    requestBody,
    responses = {},
  } = operation;
  const entries = Object.entries(responses);
  const good = entries.filter(([status]) => status.startsWith("2"));
  const bad = entries.filter(([status]) => !status.startsWith("2"));
  const body = Object.entries(requestBody?.content ?? {});
  return (
    <Stack gap="md" p="md" pt={0}>
      <Group gap="sm">
        <Text size="xs" c="dimmed">
          {securityText(security)}
        </Text>
        <Anchor href={`#${operationId}`} size="xs">
          Link to {operationId}
        </Anchor>
      </Group>
      {description !== undefined && <Prose text={description} />}
      {parameters.length > 0 && (
        <Part title="Parameters">
          <FieldTable
            caption={`Parameters of ${operationId}`}
            fields={parametersOf(api, operation)}
            optional
          />
        </Part>
      )}
      {body.length > 0 && (
        <Part title="Body" about={body.map(([media]) => media).join(", ")}>
          <Fields
            api={api}
            schema={body[0]?.[1].schema}
            caption={`Body of ${operationId}`}
            optional
          />
        </Part>
      )}
      {good.map(([status, answer]) => (
        <Answer
          key={status}
          api={api}
          status={status}
          answer={answer}
          caption={`Answer ${status} of ${operationId}`}
        />
      ))}
      {bad.length > 0 && (
        <Part title="Problems" about="application/problem+json with a stable code (RFC 9457)">
          <ul className={classes.problems}>
            {bad.map(([status, answer]) => (
              <li key={status}>
                <b className="figures">{status}</b> {answer.description}
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Example curl={curlOf(api, operation, location.origin)} />
    </Stack>
  );
}

function Answer({
  api,
  status,
  answer,
  caption,
}: {
  api: OpenApi;
  status: string;
  answer: NonNullable<Operation["responses"]>[string];
  caption: string;
}) {
  const content = Object.entries(answer.content ?? {});
  return (
    <Part
      title={`Answer ${status}`}
      about={
        content.length === 0
          ? (answer.description ?? "No body.")
          : `${content.map(([media]) => media).join(", ")}: ${typeOf(api, content[0]?.[1].schema ?? {})}`
      }
    >
      <Fields api={api} schema={content[0]?.[1].schema} caption={caption} />
    </Part>
  );
}

function Example({ curl }: { curl: string }) {
  return (
    <Part title="Example">
      <Code block className={classes.curl ?? ""}>
        {curl}
      </Code>
      <Group>
        <CopyButton value={curl}>
          {({ copied, copy }) => (
            <Button size="xs" variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy command"}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Part>
  );
}

function Part({
  title,
  about,
  children,
}: {
  title: string;
  about?: string;
  children: React.ReactNode;
}) {
  return (
    <Stack gap={6} miw={0}>
      <div>
        <Title order={3} size="h6">
          {title}
        </Title>
        {about !== undefined && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {about}
          </Text>
        )}
      </div>
      {children}
    </Stack>
  );
}

function Fields(props: {
  api: OpenApi;
  schema: Parameters<typeof typeOf>[1] | undefined;
  caption: string;
  optional?: boolean;
}) {
  const fields = props.schema === undefined ? [] : fieldsOf(props.api, props.schema);
  if (fields.length === 0) return null;
  return <FieldTable fields={fields} caption={props.caption} optional={props.optional ?? false} />;
}
