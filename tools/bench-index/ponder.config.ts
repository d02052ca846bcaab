// What Ponder reads: the contracts and events that the service's index reads, of the same node.
import { createConfig } from "ponder";
import type { Abi, Address } from "viem";
import { readFileSync } from "node:fs";

interface Task {
  chainId: number;
  rpcUrl: string;
  directory: string;
  startBlock: number;
  contracts: { name: string; address: Address; abi: Abi }[];
}

const task = JSON.parse(readFileSync(process.env.BENCH_INDEX_TASK!, "utf8")) as Task;

export default createConfig({
  // Its default without a DATABASE_URL: PostgreSQL compiled to WebAssembly, in this process.
  database: { kind: "pglite", directory: task.directory },
  chains: { anvil: { id: task.chainId, rpc: task.rpcUrl } },
  contracts: Object.fromEntries(
    task.contracts.map(({ name, address, abi }) => [
      name,
      { chain: "anvil", address, abi, startBlock: task.startBlock },
    ]),
  ),
});
