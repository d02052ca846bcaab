import {
  Anchor,
  Button,
  FileButton,
  Group,
  NumberInput,
  Stack,
  Text,
  Textarea,
} from "@mantine/core";
import { type DragEvent, useState } from "react";
import { Link } from "react-router";
import { Section } from "../../parts/Section";
import { Notice } from "../../parts/Notice";
import { ReaderChoice } from "./ReaderChoice";
import { RecordVerdict } from "./RecordVerdict";
import { useReader } from "./reader";
import { useJudge } from "./useJudge";
import classes from "./PasteRecord.module.css";

/** A record that somebody holds, compared with what the contracts store. */
export function PasteRecord() {
  const reader = useReader();
  const { state, check } = useJudge(reader);
  const [text, setText] = useState("");
  const [facility, setFacility] = useState<number | string>("");
  const [epoch, setEpoch] = useState<number | string>("");
  const [over, setOver] = useState(false);

  const hint = {
    ...(facility !== "" && { facilityId: BigInt(facility) }),
    ...(epoch !== "" && { epoch: Number(epoch) }),
  };
  const checkFile = async (file: File | null | undefined) => {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    // A large file stays out of the text area: it would freeze the page.
    setText(bytes.length < 20_000 ? new TextDecoder().decode(bytes) : "");
    await check(bytes, hint, file.name);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void checkFile(event.dataTransfer.files[0]);
  };

  return (
    <Section
      title="Check a record"
      about="Paste or drop a proof, a line of lines.csv, or a file of evidence. It is hashed here and compared with what the contracts store; it is not uploaded."
    >
      <div
        className={classes.zone}
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Stack gap="sm">
          <RecordText text={text} onChange={setText} />
          <Group gap="sm" align="flex-end">
            <HintInput label="Facility" value={facility} onChange={setFacility} />
            <HintInput label="Epoch" value={epoch} onChange={setEpoch} />
            <Button
              disabled={text.trim() === "" || reader.chain === null}
              loading={state.step === "running"}
              onClick={() => void check(new TextEncoder().encode(text), hint, null)}
            >
              Check
            </Button>
            <FileButton onChange={(file) => void checkFile(file)} accept=".json,.csv">
              {(props) => (
                <Button variant="default" {...props} disabled={reader.chain === null}>
                  Choose a file
                </Button>
              )}
            </FileButton>
          </Group>
        </Stack>
      </div>
      <ReaderChoice reader={reader} />
      <div aria-live="polite">
        <Result state={state} />
      </div>
    </Section>
  );
}

/** Where a record is from, for those that do not say it. */
function HintInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number | string;
  onChange: (value: number | string) => void;
}) {
  return (
    <NumberInput
      label={label}
      description="If the record does not say"
      size="sm"
      w={170}
      min={0}
      allowDecimal={false}
      value={value}
      onChange={onChange}
    />
  );
}

function Result({ state }: { state: ReturnType<typeof useJudge>["state"] }) {
  return (
    <>
      {state.step === "refused" && (
        <Notice tone="warning" alert>
          This is not a record that can be checked: {state.problem}
        </Notice>
      )}
      {state.step === "done" && (
        <Stack gap="sm">
          {state.name !== null && <Text size="sm">{state.name}</Text>}
          <RecordVerdict verdict={state.verdict} />
          {state.verdict.place !== null && (
            <Text size="sm">
              <Anchor
                component={Link}
                inherit
                to={`/facilities/${state.verdict.place.facilityId}/epochs/${state.verdict.place.epoch}`}
              >
                {state.verdict.closing ? "Open the closing statement" : "Open this epoch"}
              </Anchor>
            </Text>
          )}
        </Stack>
      )}
    </>
  );
}

function RecordText({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  return (
    <Textarea
      label="Record"
      description="Proof JSON, a row of lines.csv (its header is optional), or the text of an evidence file. Files can be dropped here."
      placeholder="index,kind,device,lease,start_s,…"
      minRows={4}
      maxRows={12}
      autosize
      spellCheck={false}
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
      classNames={{ input: classes.text ?? "" }}
    />
  );
}
