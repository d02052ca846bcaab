import { Button, Group, NativeSelect, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "react-router";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { Dialog } from "../forms/Dialog";
import { useFields } from "../forms/useFields";
import type { FieldErrors } from "../launch/offerForm";
import type { ConsoleFacility } from "../queries";
import { Adjust, ReplaceEvent, TellOutage, VoidEvent } from "./EventDialogs";
import { type Act, EventDetails, EventTable } from "./EventTable";
import { type Logged, useEvents } from "./eventQueries";
import { KINDS, type Search, addressOf, fieldsOf, searchErrors, searchOf } from "./eventSearch";

type Shown = { act: Act; event: Logged } | { act: "outage" | "adjustment"; event: null };
const TITLES = {
  details: "Event",
  void: "Void",
  replace: "Replace",
  outage: "Tell an outage",
  adjustment: "Make an adjustment",
} as const;

/** Accepted events of a facility: found, looked at, put right. */
export function Events({ facility }: { facility: ConsoleFacility }) {
  const [params, setParams] = useSearchParams();
  const search = searchOf(params);
  const query = useEvents(facility.facility_id, search);
  const [shown, setShown] = useState<Shown | null>(null);
  const done = () => setShown(null);
  const section = params.get("section");
  // What is searched takes the place of what was, and begins with its first page.
  const go = (wanted: Record<string, string>) =>
    setParams({ ...(section !== null && { section }), ...wanted });
  const here = addressOf(fieldsOf(search));
  return (
    <Section
      title="Accepted events"
      about="What your collectors and you told, as it was sent and as it stands now. What is wrong is voided or replaced, until its month is sealed: you see what the next statement will say before anything is done."
      actions={
        <>
          <Button variant="default" onClick={() => setShown({ act: "outage", event: null })}>
            Tell an outage
          </Button>
          <Button variant="default" onClick={() => setShown({ act: "adjustment", event: null })}>
            Make an adjustment
          </Button>
        </>
      }
    >
      <SearchForm key={JSON.stringify(search)} search={search} onSearch={go} />
      <Loaded query={query}>
        {({ events, next }) => (
          <Stack gap="sm">
            {events.length === 0 ? (
              <Empty title={next === null ? "No event here" : "No event in this part of the log"}>
                {next === null
                  ? "No accepted event is like this. What was rejected stands on the page of rejected events."
                  : "The log goes on: look further back."}
              </Empty>
            ) : (
              <EventTable events={events} onAct={(act, event) => setShown({ act, event })} />
            )}
            <Group component="nav" aria-label="Pages of events" gap="xs" justify="flex-end">
              {search.before !== undefined && (
                <Button size="xs" variant="default" onClick={() => go(here)}>
                  To the first page
                </Button>
              )}
              {next !== null && (
                <Button size="xs" variant="default" onClick={() => go({ ...here, before: next })}>
                  Further back
                </Button>
              )}
            </Group>
          </Stack>
        )}
      </Loaded>
      <Acting facility={facility} shown={shown} onDone={done} />
    </Section>
  );
}

/** The dialog over the page: an event looked at, or put right. */
function Acting({
  facility,
  shown,
  onDone,
}: {
  facility: ConsoleFacility;
  shown: Shown | null;
  onDone: () => void;
}) {
  return (
    <Dialog
      title={
        shown === null
          ? ""
          : `${TITLES[shown.act]}${shown.event === null ? "" : ` ${shown.event.id}`}`
      }
      opened={shown !== null}
      onClose={onDone}
    >
      {shown?.act === "details" && (
        <EventDetails facilityId={facility.facility_id} event={shown.event} />
      )}
      {shown?.act === "void" && (
        <VoidEvent facility={facility} event={shown.event} onDone={onDone} />
      )}
      {shown?.act === "replace" && (
        <ReplaceEvent facility={facility} event={shown.event} onDone={onDone} />
      )}
      {shown?.act === "outage" && <TellOutage facility={facility} onDone={onDone} />}
      {shown?.act === "adjustment" && <Adjust facility={facility} onDone={onDone} />}
    </Dialog>
  );
}

function SearchForm({
  search,
  onSearch,
}: {
  search: Search;
  onSearch: (wanted: Record<string, string>) => void;
}) {
  const { fields, input } = useFields(() => fieldsOf(search));
  const [wrong, setWrong] = useState<FieldErrors>({});
  const press = (event: FormEvent) => {
    event.preventDefault();
    const found = searchErrors(fields);
    setWrong(found);
    if (Object.keys(found).length === 0) onSearch(addressOf(fields));
  };
  return (
    <form onSubmit={press} noValidate aria-label="Search events" role="search">
      <Stack gap="xs">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="xs" verticalSpacing="xs">
          <NativeSelect label="Kind" data={[...KINDS]} {...input("kind", wrong["kind"])} />
          <TextInput label="Device" placeholder="GPU-…" {...input("device")} />
          <TextInput label="Lease" {...input("lease")} />
          <TextInput label="Event id" {...input("id", wrong["id"])} />
          <TextInput
            type="datetime-local"
            label="Lasts beyond (UTC)"
            {...input("from", wrong["from"])}
          />
          <TextInput
            type="datetime-local"
            label="Begins before (UTC)"
            {...input("to", wrong["to"])}
          />
          <TextInput label="Source" {...input("source")} />
        </SimpleGrid>
        <Group gap="xs">
          <Button type="submit" size="xs">
            Search
          </Button>
          <Button size="xs" variant="default" onClick={() => onSearch({})}>
            Clear
          </Button>
          <Text size="xs" c="dimmed">
            Without a device or lease, the two times lie at most seven days apart.
          </Text>
        </Group>
      </Stack>
    </form>
  );
}
