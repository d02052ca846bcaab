/** Text of a Sign-In with Ethereum message (EIP-4361), as the service reads it: strictly. */

import { getAddress } from "viem";

export interface SignInRequest {
  /** `location.origin`: scheme, host and port of this page. */
  origin: string;
  address: string;
  chainId: number;
  nonce: string;
  /** Both by the service's clock, which judges them; this machine's may be wrong. */
  issuedAtSeconds: number;
  expiresAtSeconds: number;
}

const STATEMENT =
  "Sign in to the operator console of Rentroll. This moves nothing and costs nothing.";

function rfc3339(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");
}

/** The message that a wallet signs. The address gets its EIP-55 checksum, which the service demands. */
export function signInMessage(request: SignInRequest): string {
  const { host } = new URL(request.origin);
  return [
    `${host} wants you to sign in with your Ethereum account:`,
    getAddress(request.address),
    "",
    STATEMENT,
    "",
    `URI: ${request.origin}`,
    "Version: 1",
    `Chain ID: ${request.chainId}`,
    `Nonce: ${request.nonce}`,
    `Issued At: ${rfc3339(request.issuedAtSeconds)}`,
    `Expiration Time: ${rfc3339(request.expiresAtSeconds)}`,
  ].join("\n");
}
