/** Where the contracts are: by chain, as this package was made, or in a deployment file of your own. */

import { type Address, getAddress, isAddress } from "viem";
import { CONTRACT_NAMES, DEPLOYMENTS } from "../generated/deployments";

/** Names in a deployment file. */
export type ContractName = (typeof CONTRACT_NAMES)[number];

export interface Deployment {
  chainId: number;
  /** Block before which no event of ours is. */
  startBlock: number;
  addresses: Record<ContractName, Address>;
}

/** This package knows no deployment on that chain. */
export class UnknownChain extends Error {
  override readonly name = "UnknownChain";

  constructor(readonly chainId: number) {
    super(`no deployment on chain ${chainId} is known: read its deployment file instead`);
  }
}

/** A deployment file does not say what it must; `where` names the part. */
export class DeploymentUnreadable extends Error {
  override readonly name = "DeploymentUnreadable";

  constructor(
    readonly where: string,
    why: string,
  ) {
    super(`${where} ${why}`);
  }
}

/** What is deployed where, by chain id. */
export const deployments: Readonly<Record<number, Deployment>> = DEPLOYMENTS;

/** Deployment on a chain. Raises UnknownChain. */
export function deploymentOf(chainId: number): Deployment {
  const found = deployments[chainId];
  if (found === undefined) throw new UnknownChain(chainId);
  return found;
}

/** A deployment file's JSON, such as the service publishes as `deployment.json`. Raises DeploymentUnreadable. */
export function readDeployment(text: string): Deployment {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new DeploymentUnreadable("the file", "is no JSON");
  }
  const document = objectIn(read, "the file");
  const contracts = objectIn(document["contracts"], "contracts");
  const addresses = CONTRACT_NAMES.map((name) => {
    const { address } = objectIn(contracts[name], name) as { address?: unknown };
    if (typeof address !== "string" || !isAddress(address))
      throw new DeploymentUnreadable(`${name}.address`, "is no address");
    return [name, getAddress(address)] as const;
  });
  return {
    chainId: numberIn(document, "chainId"),
    startBlock: numberIn(document, "startBlock"),
    addresses: Object.fromEntries(addresses) as Deployment["addresses"],
  };
}

function objectIn(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DeploymentUnreadable(where, "is not there, or no object");
  return value as Record<string, unknown>;
}

function numberIn(document: Record<string, unknown>, name: string): number {
  const value = document[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new DeploymentUnreadable(name, "is no whole number");
  return value;
}
