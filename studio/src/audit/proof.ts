/**
 * Records and inclusion proofs of the audit log, checked here in the browser: RFC 6962 hashes (a leaf is SHA-256 of 00
 * and the record, a node is SHA-256 of 01 and its two children) and the algorithm of RFC 9162, section 2.1.3.2.
 */

const HASH_BYTES = 32;
const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

/** Browsers hash only on pages that nobody on the way can change. */
export class NoHashing extends Error {
  constructor() {
    super('This page is not served over HTTPS, so the browser offers no hashing and nothing can be checked here.');
    this.name = 'NoHashing';
  }
}

export interface Claim {
  /** The leaf's place, from 0. */
  index: number;
  /** Leaves of the tree. */
  size: number;
  leaf: string;
  root: string;
  /** Siblings from the leaf upwards. */
  path: string[];
}

/** One step up the tree: which side the given hash stands on, and what comes out. */
export interface ProofStep {
  side: 'left' | 'right';
  sibling: string;
  node: string;
}

export interface ProofCheck {
  holds: boolean;
  steps: ProofStep[];
  /** Why it does not hold. */
  why: string | null;
}

function bytesOf(hex: string): Uint8Array | null {
  if (!/^[0-9a-f]*$/i.test(hex) || hex.length !== HASH_BYTES * 2) return null;
  return Uint8Array.from({ length: HASH_BYTES }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
}

const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

async function sha256(input: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) throw new NoHashing();
  return new Uint8Array(await subtle.digest('SHA-256', input));
}

export interface LoggedRecord {
  seq: number;
  kind: string;
  actor: string;
  /** With up to six digits after the second. */
  at: string;
  /** The particulars as the log has them, to the letter. */
  text: string;
  prev: string;
}

/** An instant in microseconds since 1970, or null for what is none. */
function microsOf(at: string): bigint | null {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(at);
  const whole = found ? Date.parse(`${found[1]}Z`) : Number.NaN;
  return Number.isNaN(whole) ? null : BigInt(whole) * 1_000n + BigInt((found?.[2] ?? '').padEnd(6, '0'));
}

/**
 * The leaf hash of a record: SHA-256 of 00, `throughline audit v1` and a line feed, its number, its time in microseconds,
 * the leaf before, and kind, actor and particulars, each behind its length. Numbers have 8 bytes, big endian. Null for
 * what cannot be a record.
 */
export async function recordLeaf(record: LoggedRecord): Promise<string | null> {
  const [prev, micros] = [bytesOf(record.prev), microsOf(record.at)];
  if (!prev || micros === null || !Number.isSafeInteger(record.seq)) return null;
  const encoder = new TextEncoder();
  const head = encoder.encode('throughline audit v1\n');
  const texts = [record.kind, record.actor, record.text].map((each) => encoder.encode(each));
  const length = 1 + head.length + 16 + HASH_BYTES + texts.reduce((sum, each) => sum + 8 + each.length, 0);
  const input = new Uint8Array(length);
  const view = new DataView(input.buffer);
  input[0] = LEAF_PREFIX;
  input.set(head, 1);
  let at = 1 + head.length;
  view.setBigUint64(at, BigInt(record.seq));
  view.setBigInt64(at + 8, micros);
  input.set(prev, at + 16);
  at += 16 + HASH_BYTES;
  for (const each of texts) {
    view.setBigUint64(at, BigInt(each.length));
    input.set(each, at + 8);
    at += 8 + each.length;
  }
  return hexOf(await sha256(input));
}

async function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  const input = new Uint8Array(1 + 2 * HASH_BYTES);
  input[0] = NODE_PREFIX;
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return sha256(input);
}

/** Walks the path from the leaf to the root, and says where it leads. */
export async function checkInclusion({ index, size, leaf, root, path }: Claim): Promise<ProofCheck> {
  const steps: ProofStep[] = [];
  const no = (why: string): ProofCheck => ({ holds: false, steps, why });
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    return no('the record is not one of those that the tree covers');
  }
  let hash = bytesOf(leaf);
  if (!hash || !bytesOf(root)) return no('a hash is not 32 bytes of hexadecimal digits');
  // Beyond 2^31 the bit operators of this language go wrong, so halves are taken by division.
  const half = (n: number) => Math.floor(n / 2);
  let place = index;
  let last = size - 1;
  for (const given of path) {
    const sibling = bytesOf(given);
    if (!sibling) return no('a hash is not 32 bytes of hexadecimal digits');
    if (last === 0) return no('the path is longer than the tree is high');
    const onLeft = place % 2 === 1 || place === last;
    hash = onLeft ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling);
    steps.push({ side: onLeft ? 'left' : 'right', sibling: given.toLowerCase(), node: hexOf(hash) });
    while (onLeft && place % 2 === 0 && place !== 0) {
      place = half(place);
      last = half(last);
    }
    place = half(place);
    last = half(last);
  }
  if (last !== 0) return no('the path ends below the root');
  if (hexOf(hash) !== root.toLowerCase()) return no('the path leads to another root');
  return { holds: true, steps, why: null };
}
