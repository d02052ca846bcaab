/** The npm package `rentroll`: ABIs, addresses by chain, and the contracts' errors with types. `rentroll/verify` checks. */

export * from "../generated/abis";
export { errorsAbi } from "../chain/abis";
export { type Refusal, sentenceOf } from "../chain/refusals";
export {
  type ContractName,
  type Deployment,
  DeploymentUnreadable,
  UnknownChain,
  deploymentOf,
  deployments,
  readDeployment,
} from "./deployments";
export { type ContractError, contractErrorOf } from "./errors";
