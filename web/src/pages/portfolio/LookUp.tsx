import { Button, Group, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { parseAccount } from "../../chain/account";

/** Opens the portfolio of any account. */
export function LookUp() {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const go = useNavigate();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const account = parseAccount(text);
    if (account === null) setWrong(true);
    else void go(`/portfolio/${account}`);
  };
  return (
    <form onSubmit={submit} role="search" aria-label="Look up an account">
      <Group align="flex-start" gap="xs" wrap="nowrap" maw={620}>
        <TextInput
          aria-label="Address of an account"
          placeholder="0x… address of an account"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setWrong(false);
          }}
          error={wrong ? "This is no address, or a letter of it is wrong (checksum)." : undefined}
          flex={1}
          spellCheck={false}
          autoComplete="off"
        />
        <Button type="submit" variant="default">
          Look up
        </Button>
      </Group>
    </form>
  );
}
