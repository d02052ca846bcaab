/** Merkle trees with the layout of OpenZeppelin's StandardMerkleTree: leaves sorted by hash, sorted pairs. */

import { keccak_256 } from "@noble/hashes/sha3";
import { compareBytes } from "./bytes";

const pair = new Uint8Array(64);

/** Inner node over two children, in either order. */
export function parentOf(a: Uint8Array, b: Uint8Array): Uint8Array {
  const ordered = compareBytes(a, b) < 0;
  pair.set(ordered ? a : b, 0);
  pair.set(ordered ? b : a, 32);
  return keccak_256(pair);
}

/** A step of a long computation: how much of it is done. */
export interface Progress {
  done: number;
  total: number;
}

const STEP = 1_000;

/** Tree over leaf hashes in any order. Raises Error where two are equal. */
export class MerkleTree {
  private constructor(
    private readonly nodes: Uint8Array[],
    private readonly positions: Uint32Array,
  ) {}

  static of(leaves: readonly Uint8Array[]): MerkleTree {
    const building = MerkleTree.build(leaves);
    for (;;) {
      const step = building.next();
      if (step.done === true) return step.value;
    }
  }

  /** Builds step by step, so that a page can show progress. */
  static *build(leaves: readonly Uint8Array[]): Generator<Progress, MerkleTree> {
    const count = leaves.length;
    const size = Math.max(2 * count - 1, 0);
    const nodes = new Array<Uint8Array>(size);
    const positions = new Uint32Array(count);
    const ordered = leaves.map((leaf, original) => ({ leaf, original }));
    ordered.sort((a, b) => compareBytes(a.leaf, b.leaf));
    ordered.forEach(({ leaf, original }, rank) => {
      const before = ordered[rank - 1];
      if (before !== undefined && compareBytes(before.leaf, leaf) === 0) {
        throw new Error(`two leaves are equal: of lines ${before.original} and ${original}`);
      }
      nodes[size - 1 - rank] = leaf;
      positions[original] = size - 1 - rank;
    });
    for (let i = count - 2; i >= 0; i--) {
      nodes[i] = parentOf(nodes[2 * i + 1] as Uint8Array, nodes[2 * i + 2] as Uint8Array);
      if (i % STEP === 0) yield { done: count - i, total: count };
    }
    return new MerkleTree(nodes, positions);
  }

  /** Root; zero of an empty tree. */
  get root(): Uint8Array {
    return this.nodes[0] ?? new Uint8Array(32);
  }

  /** Siblings from the leaf given at `index` up to the root. Raises RangeError if there is no such leaf. */
  proof(index: number): Uint8Array[] {
    let position = this.positions[index];
    if (position === undefined) throw new RangeError(`there is no leaf ${index}`);
    const path: Uint8Array[] = [];
    while (position > 0) {
      path.push(this.nodes[position % 2 === 0 ? position - 1 : position + 1] as Uint8Array);
      position = (position - 1) >> 1;
    }
    return path;
  }
}

/** One step of a proof: the hash so far, what it is paired with, and which of them is hashed first. */
export interface ProofStep {
  node: Uint8Array;
  sibling: Uint8Array;
  nodeFirst: boolean;
  parent: Uint8Array;
}

/** Walk from a leaf up, as `MerkleProof.verify` does. */
export function walkProof(leaf: Uint8Array, proof: readonly Uint8Array[]): ProofStep[] {
  let node = leaf;
  return proof.map((sibling) => {
    const parent = parentOf(node, sibling);
    const step = { node, sibling, nodeFirst: compareBytes(node, sibling) < 0, parent };
    node = parent;
    return step;
  });
}

/** Where a proof leads to from a leaf. */
export function rootOfProof(leaf: Uint8Array, proof: readonly Uint8Array[]): Uint8Array {
  return proof.reduce(parentOf, leaf);
}

/** Whether `leaf` stands under `root`. */
export function verifyProof(
  root: Uint8Array,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  return compareBytes(root, rootOfProof(leaf, proof)) === 0;
}
