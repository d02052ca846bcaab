import { Anchor, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "react-router";
import { sentenceCase } from "../../format/text";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { PageHead } from "../../parts/PageHead";
import { Section } from "../../parts/Section";
import { OperationView } from "./OperationView";
import { Prose } from "./Prose";
import { type OpenApi, matches, operationsOf, tagsOf } from "./openapi";

async function readDocument(): Promise<OpenApi> {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  return (await answer.json()) as OpenApi;
}

/** The API's own document, made readable; `#operation_id` leads to one operation. */
export function Docs() {
  const query = useQuery({ queryKey: ["openapi"], queryFn: readDocument, staleTime: Infinity });
  return (
    <Stack gap="xl">
      <PageHead
        title="API reference"
        about={
          <>
            Made from{" "}
            <Anchor href="/openapi.json" underline="always" inherit>
              /openapi.json
            </Anchor>
            , the same document that client generators read.
          </>
        }
      />
      <Loaded query={query} lines={10}>
        {(api) => <Reference api={api} />}
      </Loaded>
    </Stack>
  );
}

function Reference({ api }: { api: OpenApi }) {
  const [search, setSearch] = useState("");
  const linked = useLocation().hash.slice(1);
  useEffect(() => {
    if (linked !== "") document.getElementById(linked)?.scrollIntoView();
  }, [linked]);
  const found = operationsOf(api).filter((operation) => matches(operation, search.trim()));
  return (
    <>
      {api.info.description !== undefined && <Prose text={api.info.description} />}
      <TextInput
        label="Search"
        description="By path, name, parameter or description"
        maw={480}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Text size="sm" c="dimmed" aria-live="polite">
        {found.length} {found.length === 1 ? "operation" : "operations"}
      </Text>
      {found.length === 0 && <Empty title="No operation matches">Try a shorter word.</Empty>}
      {tagsOf(api).map((tag) => {
        const operations = found.filter((operation) => operation.tag === tag);
        const about = api.tags?.find((t) => t.name === tag)?.description;
        if (operations.length === 0) return null;
        return (
          <Section key={tag} title={sentenceCase(tag)} {...(about !== undefined && { about })}>
            <Stack gap={8}>
              {operations.map((operation) => (
                <OperationView
                  key={`${operation.operationId} ${operation.operationId === linked}`}
                  api={api}
                  operation={operation}
                  linked={operation.operationId === linked}
                />
              ))}
            </Stack>
          </Section>
        );
      })}
    </>
  );
}
