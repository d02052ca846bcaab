import { createPublicClient, http } from "viem";
import { contractErrorOf, deploymentOf, statementRegistryAbi, UnknownChain } from "rentroll";
import { chainReader, judge, outcomeOf } from "rentroll/verify";

const [service = "", rpc = "", proofPath = "", changed = ""] = process.argv.slice(2);
const fetched = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(service + path)).arrayBuffer());

const client = createPublicClient({ transport: http(rpc) });
const { addresses } = deploymentOf(await client.getChainId());
const registries = { statements: addresses.StatementRegistry, facilities: addresses.FacilityRegistry };
const chain = chainReader(client, registries);
const proof = JSON.parse(new TextDecoder().decode(await fetched(proofPath)));
if (changed !== "") proof.line.charge_micros = changed;
const { checks } = await judge(new TextEncoder().encode(JSON.stringify(proof)), {}, {
  chain, chainName: "a node of mine", evidence: (path) => fetched(`/v1/evidence/${path}`),
  spans: () => Promise.resolve([]), proof: () => Promise.resolve(null),
});
const nobody = "0x0000000000000000000000000000000000000001";
const refused = await client.simulateContract({ address: addresses.StatementRegistry, abi: statementRegistryAbi,
  functionName: "pause", account: nobody }).catch((error: unknown) => contractErrorOf(error));
// The name says what the arguments are: this line compiles only if the types are there.
const who: `0x${string}` | null = refused !== null && "name" in refused && refused.name === "AccessManagedUnauthorized" ? refused.args[0] : null;
let unknown = 0;
try { deploymentOf(1); } catch (error) { if (error instanceof UnknownChain) unknown = error.chainId; }
console.log(JSON.stringify({ outcome: outcomeOf(checks), checks: checks.map((c) => [c.id, c.state]), who, unknown }));
