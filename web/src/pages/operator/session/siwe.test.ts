import { describe, expect, it } from "vitest";
import { parseSiweMessage, validateSiweMessage } from "viem/siwe";
import { type SignInRequest, signInMessage } from "./siwe";

const request: SignInRequest = {
  origin: "https://rentroll.example:8443",
  address: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
  chainId: 31_337,
  nonce: "0123456789abcdef0123456789abcdef",
  issuedAtSeconds: 1_790_000_000,
  expiresAtSeconds: 1_790_000_600,
};

// What api/access/siwe.py accepts of the lines that this page writes.
const STRICT = new RegExp(
  "^(?<domain>[A-Za-z0-9\\-._~\\[\\]:]{1,255}) wants you to sign in with your Ethereum account:\\n" +
    "(?<address>0x[0-9a-fA-F]{40})\\n\\n" +
    "(?<statement>[A-Za-z0-9\\-._~:/?#\\[\\]@!$&'()*+,;= ]+)\\n\\n" +
    "URI: (?<uri>\\S+)\\nVersion: 1\\nChain ID: (?<chain>[0-9]{1,20})\\nNonce: (?<nonce>[A-Za-z0-9]{8,64})\\n" +
    "Issued At: (?<issued>\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z)\\n" +
    "Expiration Time: (?<expires>\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z)$",
);

describe("signInMessage", () => {
  it("is what the service's strict reader accepts", () => {
    const found = STRICT.exec(signInMessage(request))?.groups;

    expect(found).toMatchObject({
      domain: "rentroll.example:8443",
      uri: "https://rentroll.example:8443",
      chain: "31337",
      nonce: request.nonce,
      issued: "2026-09-21T14:13:20Z",
      expires: "2026-09-21T14:23:20Z",
    });
  });

  it("gives the address its EIP-55 checksum", () => {
    expect(signInMessage(request)).toContain("\n0x70997970C51812dc3A010C7d01b50e0d17dc79C8\n");
  });

  it("reads the same in another implementation of EIP-4361", () => {
    const message = parseSiweMessage(signInMessage(request));

    expect(message).toMatchObject({
      domain: "rentroll.example:8443",
      chainId: 31_337,
      version: "1",
    });
    expect(message.expirationTime?.getTime()).toBe(request.expiresAtSeconds * 1_000);
    const at = new Date(request.issuedAtSeconds * 1_000);
    expect(validateSiweMessage({ message, nonce: request.nonce, time: at })).toBe(true);
  });

  it("leaves the scheme's own port out, as the service does", () => {
    const text = signInMessage({ ...request, origin: "http://localhost" });

    expect(text.startsWith("localhost wants")).toBe(true);
    expect(text).toContain("\nURI: http://localhost\n");
  });
});
