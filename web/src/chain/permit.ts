/** ERC-2612: leave to take an exact amount, by a signature instead of a transaction. */

import {
  type Address,
  type Hex,
  type PublicClient,
  type TypedDataDomain,
  domainSeparator,
  parseSignature,
} from "viem";
import { erc20Abi } from "./abis";
import { kindOfCode } from "./code";

/** How long a permit counts, on the chain's clock. */
export const PERMIT_SECONDS = 20 * 60;

/** What a permit of a token is signed over. */
export interface PermitTerms {
  domain: TypedDataDomain;
  nonce: bigint;
}

const TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

async function domainOf(
  client: PublicClient,
  token: Address,
  separator: Hex,
): Promise<TypedDataDomain | null> {
  const chainId = await client.getChainId();
  const read = <T>(promise: Promise<T>): Promise<T | null> => promise.catch(() => null);
  const named = await read(
    client.readContract({ address: token, abi: erc20Abi, functionName: "eip712Domain" }),
  );
  const name =
    named?.[1] ??
    (await read(client.readContract({ address: token, abi: erc20Abi, functionName: "name" })));
  if (name === null) return null;
  // Tokens older than ERC-5267 do not name their version; "1" and "2" are those in use.
  for (const version of named === null ? ["1", "2"] : [named[2]]) {
    const domain = { name, version, chainId, verifyingContract: token };
    // A domain that does not give the token's own separator would give a worthless signature.
    if (domainSeparator({ domain }) === separator) return domain;
  }
  return null;
}

/**
 * What a permit of `owner` has to be signed over. Null where an allowance is needed instead: the token knows no
 * permits, or there is code at the account. A contract has no key that `ecrecover` finds; the key of a delegated account
 * (EIP-7702) is asked by some tokens, its code (ERC-1271) by others, and the page cannot tell which.
 */
export async function permitTermsOf(
  client: PublicClient,
  token: Address,
  owner: Address,
): Promise<PermitTerms | null> {
  const code = await client.getCode({ address: owner });
  if (kindOfCode(code) !== "key") return null;
  try {
    const [separator, nonce] = await Promise.all([
      client.readContract({ address: token, abi: erc20Abi, functionName: "DOMAIN_SEPARATOR" }),
      client.readContract({
        address: token,
        abi: erc20Abi,
        functionName: "nonces",
        args: [owner],
      }),
    ]);
    const domain = await domainOf(client, token, separator);
    return domain === null ? null : { domain, nonce };
  } catch {
    return null;
  }
}

export interface SignedPermit {
  deadline: bigint;
  v: number;
  r: Hex;
  s: Hex;
}

/** What signs: a wallet client of viem, as far as it is needed. */
interface TypedDataSigner {
  signTypedData: (typed: {
    account: Address;
    domain: TypedDataDomain;
    types: typeof TYPES;
    primaryType: "Permit";
    message: { owner: Address; spender: Address; value: bigint; nonce: bigint; deadline: bigint };
  }) => Promise<Hex>;
}

/** Asks the wallet for a permit over exactly `value`. */
export async function signPermit(
  wallet: TypedDataSigner,
  terms: PermitTerms,
  permit: { owner: Address; spender: Address; value: bigint; chainNowS: number },
): Promise<SignedPermit> {
  const deadline = BigInt(permit.chainNowS + PERMIT_SECONDS);
  const { owner, spender, value } = permit;
  const signature = await wallet.signTypedData({
    account: owner,
    domain: terms.domain,
    types: TYPES,
    primaryType: "Permit",
    message: { owner, spender, value, nonce: terms.nonce, deadline },
  });
  const { r, s, yParity } = parseSignature(signature);
  return { deadline, v: 27 + yParity, r, s };
}
