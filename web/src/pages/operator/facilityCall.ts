/** Calls about one facility, whose id is their first argument. */

import { useContractAddress } from "../../api/service";
import {
  bondVaultAbi,
  facilityRegistryAbi,
  primarySaleAbi,
  rentLockboxAbi,
  statementRegistryAbi,
} from "../../chain/abis";
import type { Call } from "../../chain/send";

const ABIS = {
  BondVault: bondVaultAbi,
  FacilityRegistry: facilityRegistryAbi,
  PrimarySale: primarySaleAbi,
  RentLockbox: rentLockboxAbi,
  StatementRegistry: statementRegistryAbi,
};

/** What makes the calls of a contract; `more` are the arguments after the id. */
export function useFacilityCall(contract: keyof typeof ABIS, facilityId: number) {
  const address = useContractAddress(contract);
  return (functionName: string, label: string, ...more: unknown[]): Call => ({
    address,
    abi: ABIS[contract],
    functionName,
    args: [BigInt(facilityId), ...more],
    label,
  });
}
