import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Hash } from "../../parts/Hash";
import { bytesOf, hexOf } from "../../verify/bytes";
import { leafOf } from "../../verify/line";
import { walkProof } from "../../verify/merkle";
import { lineFromJson } from "../../verify/record";
import type { Proof } from "./queries";
import classes from "./ProofPath.module.css";

/** The way from the leaf to the root, hashed here. */
export function ProofPath({
  proof,
  facilityId,
  epoch,
}: {
  proof: Proof;
  facilityId: number;
  epoch: number;
}) {
  const leaf = leafOf(BigInt(facilityId), epoch, lineFromJson(proof.line));
  const steps = walkProof(
    leaf,
    proof.proof.map((node) => bytesOf(node, 32)),
  );
  return (
    <ol className={classes.path}>
      <Step name="Leaf" about="twelve words of the line, hashed twice" value={hexOf(leaf)} />
      {steps.map((step, i) => {
        const last = i === steps.length - 1;
        return (
          <Step
            key={i}
            name={last ? "Root" : `Step ${i + 1}`}
            about={
              <>
                {step.nodeFirst ? "followed by" : "preceded by"}{" "}
                <Hash value={hexOf(step.sibling)} />
              </>
            }
            value={hexOf(step.parent)}
          />
        );
      })}
      {steps.length === 0 && (
        <Step
          name="Root"
          about="the only line of the statement: its leaf is the root"
          value={hexOf(leaf)}
        />
      )}
    </ol>
  );
}

function Step({ name, about, value }: { name: string; about: ReactNode; value: string }) {
  return (
    <li className={classes.step}>
      <Stack gap={0} miw={0}>
        <Text size="sm" component="div">
          <b>{name}</b>{" "}
          <Text span size="xs" c="dimmed">
            {about}
          </Text>
        </Text>
        <Text size="sm" component="div">
          <Hash value={value} whole copy={false} />
        </Text>
      </Stack>
    </li>
  );
}
