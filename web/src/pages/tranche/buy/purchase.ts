/** Calls of a purchase: by permit, or by an allowance of exactly the cost. */

import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { type Abi, type Address, encodeFunctionData } from "viem";
import { useConfig, usePublicClient } from "wagmi";
import { getWalletClient } from "wagmi/actions";
import { useService } from "../../../api/service";
import { erc20Abi, primarySaleAbi } from "../../../chain/abis";
import { needsReset } from "../../../chain/allowance";
import { permitTermsOf, signPermit } from "../../../chain/permit";
import { sentenceOf } from "../../../chain/refusals";
import type { Call } from "../../../chain/send";
import { counted, exactMoney } from "../../../format/money";

export interface Order {
  account: Address;
  tokenId: string;
  units: bigint;
  costMicros: bigint;
  token: { address: Address; symbol: string };
}

/** What stops a purchase however it is paid: found before anything is signed. */
const FINAL_REFUSALS = new Set([
  "SaleNotOpen",
  "SaleOutsideHours",
  "UnitsAboveCap",
  "UnitsZero",
  "CostAboveLimit",
  "TrancheUnknown",
  "EnforcedPause",
  "ERC20InsufficientBalance",
  "ERC7943CannotReceive",
]);

const labelOf = (order: Order): string =>
  `Buy ${counted(order.units, "unit")} of tranche ${order.tokenId} for ${exactMoney(order.costMicros)} ${order.token.symbol}`;

/** Allowance of exactly the cost, never more. */
export function approvalOf(order: Order, sale: Address): Call {
  return {
    address: order.token.address,
    abi: erc20Abi as unknown as Abi,
    functionName: "approve",
    args: [sale, order.costMicros],
    label: `Let the sale take ${exactMoney(order.costMicros)} ${order.token.symbol}`,
  };
}

/** The old allowance set to zero, for stablecoins that refuse to change one. */
export function resetOf(order: Order, sale: Address): Call {
  return {
    address: order.token.address,
    abi: erc20Abi as unknown as Abi,
    functionName: "approve",
    args: [sale, 0n],
    label: `Set the sale's old allowance of ${order.token.symbol} to zero`,
  };
}

/** Whether that is needed. Null until it is known. */
export function useNeedsReset(order: Order, sale: Address, current: bigint): boolean | null {
  const client = usePublicClient();
  const { account: owner, costMicros: wanted, token } = order;
  const asks = current > 0n && current < wanted && client !== undefined;
  const { data, isError } = useQuery({
    queryKey: ["chain", "reset", owner, token.address, sale, String(current), String(wanted)],
    enabled: asks,
    queryFn: () => {
      if (client === undefined) throw new Error("No node is configured.");
      return needsReset(client, { token: token.address, owner, spender: sale, current, wanted });
    },
  });
  // The approval itself is simulated too, and says what is wrong.
  return !asks || isError ? false : (data ?? null);
}

/** Purchase with an allowance that is there. */
export function buyOf(order: Order, sale: Address): Call {
  return {
    address: sale,
    abi: primarySaleAbi as unknown as Abi,
    functionName: "buy",
    args: [BigInt(order.tokenId), order.units, order.costMicros],
    label: labelOf(order),
  };
}

/** Makes a purchase by permit: checks first, then asks for the signature. */
export function usePermitPurchase(sale: Address): (order: Order) => Promise<Call> {
  const client = usePublicClient();
  const config = useConfig();
  const { chain_id } = useService();
  return useCallback(
    async (order) => {
      if (client === undefined) throw new Error("The chain's node is not configured.");
      const { account, costMicros } = order;
      const args = [BigInt(order.tokenId), order.units, costMicros] as const;
      const data = encodeFunctionData({ abi: primarySaleAbi, functionName: "buy", args });
      try {
        // Without the permit it gets as far as the missing allowance; what stops it earlier would stop it anyhow.
        await client.call({ account, to: sale, data });
      } catch (error) {
        if (FINAL_REFUSALS.has(sentenceOf(error).name)) throw error;
      }
      const [terms, block, wallet] = await Promise.all([
        permitTermsOf(client, order.token.address, account),
        client.getBlock(),
        getWalletClient(config, { account, chainId: chain_id }),
      ]);
      if (terms === null) throw new Error("The stablecoin takes no permit of this account.");
      const permit = await signPermit(wallet, terms, {
        owner: account,
        spender: sale,
        value: costMicros,
        chainNowS: Number(block.timestamp),
      });
      return {
        address: sale,
        abi: primarySaleAbi as unknown as Abi,
        functionName: "buyWithPermit",
        args: [...args, permit.deadline, permit.v, permit.r, permit.s],
        label: labelOf(order),
      };
    },
    [client, config, chain_id, sale],
  );
}
