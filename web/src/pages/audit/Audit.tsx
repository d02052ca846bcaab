import { Stack } from "@mantine/core";
import { PageHead } from "../../parts/PageHead";
import { Attesters } from "./Attesters";
import { PasteRecord } from "./PasteRecord";
import { Reconciliation } from "./Reconciliation";
import { Statements } from "./Statements";
import { VerifyYourself } from "./VerifyYourself";

export function Audit() {
  return (
    <Stack gap={40}>
      <PageHead
        title="Audit"
        about="Five numbers, each from its own source, and every difference between them by name. What contracts store can be compared here, in your browser."
      />
      <Reconciliation />
      <PasteRecord />
      <Statements />
      <Attesters />
      <VerifyYourself />
    </Stack>
  );
}
