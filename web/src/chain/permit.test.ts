import {
  type Abi,
  type Address,
  type Hex,
  type TypedDataDomain,
  createPublicClient,
  custom,
  decodeFunctionData,
  domainSeparator,
  encodeErrorResult,
  encodeFunctionResult,
  recoverTypedDataAddress,
  serializeSignature,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { erc20Abi } from "./abis";
import { PERMIT_SECONDS, permitTermsOf, signPermit } from "./permit";

const TOKEN = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
const SPENDER = "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9";
const CHAIN_ID = 31_337;
const OWNER = privateKeyToAccount(`0x${"11".repeat(32)}`);
const NAME = "Test Dollar";

const domainOf = (version: string): TypedDataDomain => ({
  name: NAME,
  version,
  chainId: CHAIN_ID,
  verifyingContract: TOKEN,
});
const separatorOf = (version: string): Hex => domainSeparator({ domain: domainOf(version) });

/** What a token answers by function; what is missing reverts. */
type Answers = Record<string, unknown>;

const abi = erc20Abi as unknown as Abi;
const reverted = encodeErrorResult({
  abi: [{ type: "error", name: "Error", inputs: [{ type: "string" }] }],
  errorName: "Error",
  args: ["no such function"],
});

/** A node on which one token lives, and maybe code at the owner. */
function nodeWith(answers: Answers, code: Hex = "0x") {
  return createPublicClient({
    transport: custom(
      {
        request: ({ method, params }: { method: string; params: [{ to: Address; data: Hex }] }) => {
          if (method === "eth_chainId") return Promise.resolve(`0x${CHAIN_ID.toString(16)}`);
          if (method === "eth_getCode") return Promise.resolve(code);
          if (method !== "eth_call") throw new Error(method);
          const { functionName } = decodeFunctionData({ abi, data: params[0].data });
          if (!(functionName in answers)) {
            throw Object.assign(new Error("execution reverted"), { code: 3, data: reverted });
          }
          const result = answers[functionName];
          return Promise.resolve(encodeFunctionResult({ abi, functionName, result }));
        },
      },
      { retryCount: 0 },
    ),
  });
}

const ofOpenZeppelin: Answers = {
  name: NAME,
  nonces: 7n,
  DOMAIN_SEPARATOR: separatorOf("1"),
  eip712Domain: ["0x0f", NAME, "1", BigInt(CHAIN_ID), TOKEN, `0x${"0".repeat(64)}`, []],
};
/** As USDC: version "2", and no `eip712Domain`. */
const ofVersionTwo: Answers = { name: NAME, nonces: 7n, DOMAIN_SEPARATOR: separatorOf("2") };

describe("permitTermsOf", () => {
  it.each<[string, Answers, string]>([
    ["names its domain (ERC-5267)", ofOpenZeppelin, "1"],
    ["is older, with version 1", { ...ofVersionTwo, DOMAIN_SEPARATOR: separatorOf("1") }, "1"],
    ["is older, with version 2", ofVersionTwo, "2"],
    [
      "names a version of its own",
      {
        ...ofOpenZeppelin,
        DOMAIN_SEPARATOR: separatorOf("v3"),
        eip712Domain: ["0x0f", NAME, "v3", BigInt(CHAIN_ID), TOKEN, `0x${"0".repeat(64)}`, []],
      },
      "v3",
    ],
  ])("finds the domain of a token that %s", async (_, answers, version) => {
    const terms = await permitTermsOf(nodeWith(answers), TOKEN, OWNER.address);

    expect(terms).toEqual({ domain: domainOf(version), nonce: 7n });
  });

  it.each<[string, Answers]>([
    ["another version's separator", { ...ofVersionTwo, DOMAIN_SEPARATOR: separatorOf("3") }],
    [
      "a separator that its own domain does not give",
      { ...ofOpenZeppelin, name: NAME, DOMAIN_SEPARATOR: separatorOf("2") },
    ],
    [
      "another chain's separator",
      {
        ...ofVersionTwo,
        DOMAIN_SEPARATOR: domainSeparator({ domain: { ...domainOf("2"), chainId: 1 } }),
      },
    ],
    ["no separator", { name: NAME, nonces: 7n }],
    ["no nonces", { name: NAME, DOMAIN_SEPARATOR: separatorOf("1") }],
    ["no name", { nonces: 7n, DOMAIN_SEPARATOR: separatorOf("1") }],
  ])("is null for a token with %s", async (_, answers) => {
    expect(await permitTermsOf(nodeWith(answers), TOKEN, OWNER.address)).toBeNull();
  });

  it.each<[string, Hex]>([
    ["a contract", "0x6080604052"],
    ["a delegated key", `0xef0100${"ab".repeat(20)}`],
  ])("is null for %s", async (_, code) => {
    expect(await permitTermsOf(nodeWith(ofOpenZeppelin, code), TOKEN, OWNER.address)).toBeNull();
  });
});

describe("signPermit", () => {
  it.each(["1", "2"])("is signed by the owner over a domain of version %s", async (version) => {
    const terms = { domain: domainOf(version), nonce: 7n };
    const permit = {
      owner: OWNER.address,
      spender: SPENDER,
      value: 9_000_000n,
      chainNowS: 1_000,
    } as const;

    const signed = await signPermit(OWNER, terms, permit);

    expect(signed.deadline).toBe(BigInt(1_000 + PERMIT_SECONDS));
    expect([27, 28]).toContain(signed.v);
    const recovered = (nonce: bigint) =>
      recoverTypedDataAddress({
        domain: terms.domain,
        types: {
          Permit: [
            "address owner",
            "address spender",
            "uint256 value",
            "uint256 nonce",
            "uint256 deadline",
          ].map((field) => ({ type: field.split(" ")[0] ?? "", name: field.split(" ")[1] ?? "" })),
        },
        primaryType: "Permit",
        message: {
          owner: OWNER.address,
          spender: SPENDER,
          value: 9_000_000n,
          nonce,
          deadline: signed.deadline,
        },
        signature: serializeSignature({ r: signed.r, s: signed.s, yParity: signed.v - 27 }),
      });
    expect(await recovered(7n)).toBe(OWNER.address);
    expect(await recovered(8n)).not.toBe(OWNER.address);
  });
});
