/** A page in a document, with a service and a node behind `fetch`: only the far side of the network is made up. */

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type RenderResult, configure, render } from "@testing-library/react";
import axe from "axe-core";
import type { ReactNode } from "react";
import { RouterProvider, createMemoryRouter } from "react-router";
import {
  type Abi,
  type AbiFunction,
  type AbiParameter,
  type Address,
  type Hex,
  decodeFunctionData,
  encodeFunctionResult,
  numberToHex,
  toFunctionSelector,
  zeroAddress,
  zeroHash,
} from "viem";
import { WagmiProvider } from "wagmi";
import type { ContractName, ServiceConfig } from "../api/config";
import { ServiceContext } from "../api/service";
import * as abis from "../chain/abis";
import { makeWagmi } from "../chain/wagmi";

const NOW_S = 1_800_000_000;
const RPC = "http://node.example";
const addressOf = (n: number): Address => `0x${String(n).repeat(40)}`;
const NAMES: readonly ContractName[] = [
  "FacilityRegistry",
  "StatementRegistry",
  "TrancheToken",
  "InvestorRegistry",
  "RentLockbox",
  "PrimarySale",
  "BondVault",
  "DeliveryDesk",
  "SettlementToken",
];

const CONFIG: ServiceConfig = {
  chain_id: 31_337,
  chain_name: "Local",
  rpc_url: RPC,
  native_symbol: "ETH",
  settlement_token: { address: addressOf(9), symbol: "mUSD", name: "Mock", decimals: 6 },
  contracts: Object.fromEntries(NAMES.map((name, i) => [name, addressOf(i + 1)])),
  challenge_window_s: 3_600,
  confirmations: 1,
  explorer_url: null,
  clock: "system",
  now_s: NOW_S,
  demo_accounts: [],
};

export interface World {
  /** What contracts answer, by function name. */
  chain?: Record<string, unknown>;
  /** What the service answers, by path; by method and path where it is no GET: `POST /v1/keys`. A problem has `status` and `code`. */
  service?: Record<string, unknown>;
}

/** ABIs by contract; two contracts answer one call differently. */
const ABIS: Partial<Record<ContractName, Abi>> = {
  FacilityRegistry: abis.facilityRegistryAbi,
  StatementRegistry: abis.statementRegistryAbi,
  TrancheToken: abis.trancheTokenAbi,
  InvestorRegistry: abis.investorRegistryAbi,
  RentLockbox: abis.rentLockboxAbi,
  PrimarySale: abis.primarySaleAbi,
  BondVault: abis.bondVaultAbi,
  DeliveryDesk: abis.deliveryDeskAbi,
};
/** What contracts answer that the settings do not name. */
const OTHERS: Abi = [...abis.attesterRegistryAbi, ...abis.pledgeRegistryAbi, ...abis.erc20Abi];

function functionOf(to: Address, selector: Hex): AbiFunction {
  const name = NAMES[NAMES.findIndex((_, i) => addressOf(i + 1) === to.toLowerCase())];
  const abi: Abi = (name && ABIS[name]) ?? OTHERS;
  const found = abi.find(
    (entry): entry is AbiFunction =>
      entry.type === "function" && toFunctionSelector(entry) === selector,
  );
  if (found === undefined) throw new Error(`${to} has no function ${selector}`);
  return found;
}

/** A value of a type; what a test does not say of it is zero. */
function whole(parameter: AbiParameter, value: unknown): unknown {
  const { type } = parameter;
  if (type.endsWith("]")) {
    const one = { ...parameter, type: type.replace(/\[\d*\]$/, "") };
    const size = Number(/\[(\d+)\]$/.exec(type)?.[1] ?? 0);
    const given = (value as unknown[] | undefined) ?? Array.from({ length: size });
    return given.map((item) => whole(one, item));
  }
  if (type === "tuple" && "components" in parameter) {
    const given = (value ?? {}) as Record<string, unknown>;
    return Object.fromEntries(
      parameter.components.map((c) => [c.name, whole(c, given[c.name ?? ""])]),
    );
  }
  if (value !== undefined) return value;
  if (type === "address") return zeroAddress;
  if (type === "bool") return false;
  if (type === "string") return "";
  const size = /^bytes(\d*)$/.exec(type)?.[1];
  return size === undefined ? 0n : `0x${"00".repeat(Number(size))}`;
}

function called(chain: Record<string, unknown>, { to, data }: Sent): Hex {
  const entry = functionOf(to, data.slice(0, 10) as Hex);
  const abi: Abi = [entry];
  const answer = chain[entry.name];
  if (answer === undefined) throw new Error(`nothing is known of ${entry.name}`);
  const { args } = decodeFunctionData({ abi, data });
  const result =
    typeof answer === "function"
      ? (answer as (...a: unknown[]) => unknown)(...(args ?? []))
      : answer;
  const [one, ...more] = entry.outputs;
  const found =
    more.length > 0
      ? entry.outputs.map((output, i) => whole(output, (result as unknown[])[i]))
      : one && whole(one, result);
  return encodeFunctionResult({ abi, functionName: entry.name, result: found });
}

interface Sent {
  to: Address;
  data: Hex;
}

interface Asked {
  id: number;
  method: string;
  params: [Sent];
}

function answered(chain: Record<string, unknown>, { id, method, params }: Asked): object {
  const block = { number: "0x2a", timestamp: numberToHex(NOW_S), hash: zeroHash, transactions: [] };
  try {
    const result =
      method === "eth_call"
        ? called(chain, params[0])
        : { eth_blockNumber: "0x2a", eth_chainId: "0x7a69", eth_getBlockByNumber: block }[method];
    return { jsonrpc: "2.0", id, result };
  } catch (error) {
    return { jsonrpc: "2.0", id, error: { code: -32_000, message: String(error) } };
  }
}

async function reply({ chain = {}, service = {} }: World, request: Request): Promise<unknown> {
  const { origin, pathname } = new URL(request.url);
  if (origin !== RPC)
    return service[request.method === "GET" ? pathname : `${request.method} ${pathname}`];
  const asked = (await request.json()) as Asked | Asked[];
  return Array.isArray(asked) ? asked.map((a) => answered(chain, a)) : answered(chain, asked);
}

/** Status of an answer: a problem names its own. */
function statusOf(answer: object): number {
  return "code" in answer && "status" in answer ? Number(answer.status) : 200;
}

/** Everything that this document asks of a network is answered here. */
function connect(world: World): void {
  const { happyDOM } = window as unknown as { happyDOM: { settings: { fetch: object } } };
  const interceptor = {
    beforeAsyncRequest: async ({ request }: { request: Request }) => {
      const answer = await reply(world, request);
      const given = answer ?? { status: 404, code: "http", detail: "There is no such thing." };
      return new Response(JSON.stringify(given), {
        status: statusOf(given),
        headers: { "content-type": "application/json" },
      });
    },
  };
  Object.assign(happyDOM.settings.fetch, { interceptor });
}

// A page asks several times in a row, and other tests run beside it.
configure({ asyncUtilTimeout: 10_000 });

/** Renders a page, or a part of one, in such a world. */
export function open(page: ReactNode, world: World): RenderResult {
  connect(world);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <MantineProvider>
      <WagmiProvider config={makeWagmi(CONFIG)}>
        <QueryClientProvider client={queries}>
          <ServiceContext value={CONFIG}>
            <RouterProvider router={createMemoryRouter([{ path: "*", element: page }])} />
          </ServiceContext>
        </QueryClientProvider>
      </WagmiProvider>
    </MantineProvider>,
  );
}

/** What axe objects to, without what needs a layout. */
export async function objections(found: RenderResult): Promise<string[]> {
  const { violations } = await axe.run(found.container, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
}
