/** Delivery orders: what an operator signs (EIP-712) so that one holder may burn units for compute. */

import { type Address, type Hex, getAddress, isAddress, isHex, zeroHash } from "viem";

/** As `IDeliveryDesk.DeliveryOrder`. */
export interface DeliveryOrder {
  holder: Address;
  id: bigint;
  units: bigint;
  lease: Hex;
  nonce: bigint;
  /** Last second that counts, UTC. */
  deadline: bigint;
}

export interface SignedOrder {
  order: DeliveryOrder;
  signature: Hex;
}

const TYPES = {
  DeliveryOrder: [
    { name: "holder", type: "address" },
    { name: "id", type: "uint256" },
    { name: "units", type: "uint256" },
    { name: "lease", type: "bytes32" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

/** What a wallet is asked to sign. */
export function typedOrder(order: DeliveryOrder, chainId: number, desk: Address) {
  return {
    domain: { name: "Rentroll Deliveries", version: "1", chainId, verifyingContract: desk },
    types: TYPES,
    primaryType: "DeliveryOrder",
    message: { ...order },
  } as const;
}

/** A number that no order had before: the chance of two alike in 2^256 is none. */
export function randomNonce(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** One line of text that a holder pastes. */
export function orderText({ order, signature }: SignedOrder): string {
  const { holder, lease } = order;
  const [id, units, nonce, deadline] = [order.id, order.units, order.nonce, order.deadline].map(
    String,
  );
  return JSON.stringify({ holder, id, units, lease, nonce, deadline, signature });
}

const DIGITS = /^\d{1,78}$/;

/** The hash of a lease that people pasted; null unless it is one. */
export function parseLeaseHash(text: string): Hex | null {
  const trimmed = text.trim().toLowerCase();
  return /^0x[0-9a-f]{64}$/.test(trimmed) && trimmed !== zeroHash ? (trimmed as Hex) : null;
}

/** The order of such a text; null where it is none. Whether it counts, the contract says. */
export function parseOrder(text: string): SignedOrder | null {
  let found: unknown;
  try {
    found = JSON.parse(text.trim());
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const fields = found as Record<string, unknown>;
  const number = (name: string): bigint | null => {
    const value = fields[name];
    return typeof value === "string" && DIGITS.test(value) ? BigInt(value) : null;
  };
  const [id, units, nonce, deadline] = ["id", "units", "nonce", "deadline"].map(number);
  const { holder, lease, signature } = fields;
  if (id == null || units == null || nonce == null || deadline == null) return null;
  if (typeof holder !== "string" || !isAddress(holder, { strict: false })) return null;
  const hash = typeof lease === "string" ? parseLeaseHash(lease) : null;
  if (hash === null || !isHex(signature)) return null;
  const order = { holder: getAddress(holder), id, units, lease: hash, nonce, deadline };
  return { order, signature };
}

/** Why an order cannot be used by this account for these units now; null if nothing speaks against it. */
export function problemWithOrder(
  { order }: SignedOrder,
  own: { account: Address; id: bigint; free: bigint; nowS: number },
): string | null {
  if (order.holder !== getAddress(own.account)) return "This order is for another account.";
  if (order.id !== own.id) return "This order is for another position. Choose that one above.";
  if (order.deadline < BigInt(own.nowS)) return "This order has ended. Ask for a new one.";
  if (order.units > own.free) return "This order is for more units than you can burn.";
  return null;
}
