/** Merkle trees as RFC 6962, section 2.1, defines them: another way to the same tree than the one under test. */

export async function sha(...parts: string[]): Promise<string> {
  const bytes = Uint8Array.from(parts.join('').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const split = (size: number) => 2 ** Math.floor(Math.log2(size - 1));

/** The root over leaves. */
export async function rootOf(leaves: string[]): Promise<string> {
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return sha('01', await rootOf(leaves.slice(0, k)), await rootOf(leaves.slice(k)));
}

/** The audit path of a leaf. */
export async function pathOf(index: number, leaves: string[]): Promise<string[]> {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...await pathOf(index, leaves.slice(0, k)), await rootOf(leaves.slice(k))]
    : [...await pathOf(index - k, leaves.slice(k)), await rootOf(leaves.slice(0, k))];
}
