import { encodeErrorResult } from "viem";
import { describe, expect, it } from "vitest";
import { errorsAbi } from "../chain/abis";
import { CONTRACT_NAMES } from "../generated/deployments";
import { DeploymentUnreadable, UnknownChain, deploymentOf, readDeployment } from "./deployments";
import { contractErrorOf } from "./errors";

const ADDRESS = "0x00000000000000000000000000000000000000AA";

function file(change: (document: Record<string, unknown>) => void = () => undefined): string {
  const contracts = Object.fromEntries(CONTRACT_NAMES.map((name) => [name, { address: ADDRESS }]));
  const document = { chainId: 17_000, startBlock: 3, contracts };
  change(document);
  return JSON.stringify(document);
}

describe("a deployment file", () => {
  it("is read with every contract's address", () => {
    const deployment = readDeployment(file());
    expect(deployment).toMatchObject({ chainId: 17_000, startBlock: 3 });
    expect(Object.keys(deployment.addresses)).toEqual([...CONTRACT_NAMES]);
    expect(deployment.addresses.TrancheToken).toBe(ADDRESS);
  });

  it("that lacks something says what", () => {
    for (const [text, where] of [
      ["{", "the file"],
      ["[]", "the file"],
      [file((d) => delete d["contracts"]), "contracts"],
      [file((d) => delete (d["contracts"] as Record<string, unknown>)["BondVault"]), "BondVault"],
      [
        file((d) => Object.assign(d["contracts"] as object, { BondVault: { address: "0x1" } })),
        "BondVault.address",
      ],
      [file((d) => Object.assign(d, { chainId: "17000" })), "chainId"],
      [file((d) => Object.assign(d, { startBlock: -1 })), "startBlock"],
    ] as const) {
      let found: unknown = null;
      try {
        readDeployment(text);
      } catch (error) {
        found = error;
      }
      expect(found).toBeInstanceOf(DeploymentUnreadable);
      expect((found as DeploymentUnreadable).where).toBe(where);
    }
  });

  it("of a chain that nobody recorded is an error with its number", () => {
    expect(() => deploymentOf(5)).toThrow(UnknownChain);
    expect(() => deploymentOf(5)).toThrow("chain 5");
  });
});

describe("revert data", () => {
  it("is the contract's error by name and arguments, or none of ours", () => {
    const data = encodeErrorResult({
      abi: errorsAbi,
      errorName: "AccessManagedUnauthorized",
      args: [ADDRESS],
    });
    const found = contractErrorOf(data);
    expect(found).toEqual({ name: "AccessManagedUnauthorized", args: [ADDRESS] });
    for (const none of ["0x12345678", "0x", "nonsense", null, new Error("no")]) {
      expect(contractErrorOf(none)).toBeNull();
    }
  });
});
