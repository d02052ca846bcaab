import { createContext, use } from "react";
import type { Address } from "viem";
import type { ContractName, ServiceConfig } from "./config";

export const ServiceContext = createContext<ServiceConfig | null>(null);

/** Settings of the service. */
export function useService(): ServiceConfig {
  const found = use(ServiceContext);
  if (found === null) throw new Error("outside of ServiceContext");
  return found;
}

/** Address of a contract of the deployment. Raises Error where nothing is deployed. */
export function useContractAddress(name: ContractName): Address {
  const address = useService().contracts[name];
  if (address === undefined) throw new Error(`The service knows no ${name}: nothing is deployed.`);
  return address;
}
