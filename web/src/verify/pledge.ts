/** Leaves and root of a facility's pledge: a tree over `(facilityId, index, device, card, fromEpoch)`. */

import { keccak_256 } from "@noble/hashes/sha3";
import type { Hex } from "viem";
import { bytesOf } from "./bytes";
import { MerkleTree } from "./merkle";

/** Leaf of a device that is pledged from the first epoch on, as every device of an offer is. A whole card is its own card. */
export function pledgeLeaf(
  facilityId: bigint,
  index: number,
  device: Hex,
  card: Hex = device,
): Uint8Array {
  const words = new Uint8Array(160);
  const view = new DataView(words.buffer);
  view.setBigUint64(24, facilityId);
  view.setBigUint64(56, BigInt(index));
  words.set(bytesOf(device, 32), 64);
  words.set(bytesOf(card, 32), 96);
  return keccak_256(keccak_256(words));
}

/** Root over devices with their cards, in the order of facility.json. */
export function pledgeRoot(
  facilityId: bigint,
  devices: readonly Hex[],
  cards: readonly Hex[] = devices,
): Uint8Array {
  return MerkleTree.of(devices.map((device, i) => pledgeLeaf(facilityId, i, device, cards[i])))
    .root;
}
