import { Group, List, Stack, Text } from "@mantine/core";
import { useContractAddress } from "../../../api/service";
import { Hash } from "../../../parts/Hash";
import { Section } from "../../../parts/Section";
import { useFacility } from "../queries";

/** What an operator sends to its renters. */
export function HowToPay({ facilityId }: { facilityId: number }) {
  const lockbox = useContractAddress("RentLockbox");
  const { data: facility } = useFacility(facilityId);
  const rows = [
    { name: "Lockbox", value: lockbox },
    { name: "Stablecoin", value: facility?.settlement_token ?? "" },
  ];
  return (
    <Section
      title="How a renter pays"
      about="Send this to your renters, with the reference of their lease from the table above."
    >
      <Stack className="surface" p="md" gap="xs">
        <List type="ordered" size="sm" spacing={4} pr="md">
          <List.Item>Approve the stablecoin for the lockbox.</List.Item>
          <List.Item>
            Call <span className="hash">payRent({facilityId}, reference, amount)</span> of the
            lockbox. The amount counts in millionths: 1.00 is 1000000.
          </List.Item>
        </List>
        <Text size="sm" c="dimmed">
          Rent that is sent to the lockbox by a plain transfer is not credited to anybody.
        </Text>
        {rows.map((row) => (
          <Group key={row.name} gap="sm" wrap="nowrap">
            <Text size="sm" c="dimmed" w={90} flex="none">
              {row.name}
            </Text>
            {row.value !== "" && <Hash value={row.value} whole />}
          </Group>
        ))}
      </Stack>
    </Section>
  );
}
