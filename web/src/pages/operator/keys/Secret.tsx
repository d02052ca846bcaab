import { Button, CopyButton, Group, Stack, Text, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { Notice } from "../../../parts/Notice";

/** A new key, this once: nobody can show it again. */
export function Secret({
  text,
  onDone,
  children,
}: {
  text: string;
  onDone: () => void;
  children?: ReactNode;
}) {
  return (
    <Stack gap="md">
      <Notice tone="warning">
        <span role="status">
          This is the only time that the key is shown: the service keeps no more than its hash. Put
          it where your program reads its secrets.
        </span>
      </Notice>
      <TextInput
        label="API key"
        readOnly
        value={text}
        autoComplete="off"
        spellCheck={false}
        classNames={{ input: "hash" }}
        onFocus={(event) => event.currentTarget.select()}
      />
      {children !== undefined && (
        <Text size="sm" component="div">
          {children}
        </Text>
      )}
      <Group gap="xs">
        <CopyButton value={text} timeout={1_500}>
          {({ copied, copy }) => (
            <Button onClick={copy} data-autofocus>
              {copied ? "Copied" : "Copy the key"}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={onDone}>
          I have kept it
        </Button>
      </Group>
    </Stack>
  );
}
