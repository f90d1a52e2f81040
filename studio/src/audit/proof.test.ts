import { afterEach, expect, it, vi } from 'vitest';
import { pathOf, rootOf, sha } from '../test/tree';
import { checkInclusion, NoHashing, recordLeaf } from './proof';

// The reference tree of Certificate Transparency.
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOT = '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328';

const LEAVES = await Promise.all(INPUTS.map((input) => sha('00', input)));

const claim = async (index: number, size: number) => {
  const leaves = LEAVES.slice(0, size);
  return { index, size, leaf: leaves[index]!, root: await rootOf(leaves), path: await pathOf(index, leaves) };
};
const flip = (hex: string) => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);

afterEach(() => vi.unstubAllGlobals());

it('builds the published root', async () => expect(await rootOf(LEAVES)).toBe(ROOT));

it('follows the published paths of the tree of eight leaves', async () => {
  const first = {
    index: 0, size: 8, root: ROOT, leaf: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  };
  const check = await checkInclusion(first);
  expect(check).toMatchObject({ holds: true, why: null });
  expect(check.steps.map(({ side }) => side)).toEqual(['right', 'right', 'right']);
  expect(check.steps.at(-1)?.node).toBe(ROOT);
  const sixth = await checkInclusion(await claim(5, 8));
  expect(sixth.steps.map(({ side }) => side)).toEqual(['left', 'right', 'left']);
});

it('holds for every record of every tree, and for no other place or size', async () => {
  for (let size = 1; size <= LEAVES.length; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const good = await claim(index, size);
      expect(await checkInclusion(good), `${index} of ${size}`).toMatchObject({ holds: true });
      for (let other = 0; other < size; other += 1) {
        if (other !== index) expect((await checkInclusion({ ...good, index: other })).holds).toBe(false);
      }
    }
  }
});

it('fails when any hash, place or length is tampered with', async () => {
  const good = await claim(4, 7);
  const bad = [
    { ...good, leaf: flip(good.leaf) },
    { ...good, root: flip(good.root) },
    ...good.path.map((_, at) => ({ ...good, path: good.path.map((hash, n) => (n === at ? flip(hash) : hash)) })),
    { ...good, path: good.path.slice(1) },
    { ...good, path: good.path.slice(0, -1) },
    { ...good, path: [...good.path, good.root] },
    { ...good, path: [...good.path].reverse() },
    { ...good, path: [] },
    { ...good, size: 3 },
    { ...good, size: 16 },
    { ...good, index: -1 },
    { ...good, index: 7 },
    { ...good, index: 0.5 },
    { ...good, leaf: good.leaf.slice(2) },
    { ...good, root: '' },
    { ...good, path: good.path.map((hash, at) => (at === 0 ? `zz${hash.slice(2)}` : hash)) },
  ];
  for (const each of bad) expect(await checkInclusion(each), JSON.stringify(each)).toMatchObject({ holds: false, why: expect.any(String) });
});

it('a node does not pass as a leaf of a smaller tree', async () => {
  const [left, right] = [await rootOf(LEAVES.slice(0, 4)), await rootOf(LEAVES.slice(4))];
  const smaller = await checkInclusion({ index: 0, size: 8, leaf: left, root: ROOT, path: [right] });
  expect(smaller).toMatchObject({ holds: false, why: 'the path ends below the root' });
});

it('counts beyond 32 bits', async () => {
  const [left, leaf] = [await rootOf(LEAVES), LEAVES[0]!];
  const last = { index: 2 ** 33, size: 2 ** 33 + 1, leaf, root: await sha('01', left, leaf), path: [left] };
  expect(await checkInclusion(last)).toMatchObject({ holds: true });
});

it('says so where the browser offers no hashing', async () => {
  const proof = await claim(1, 4);
  vi.stubGlobal('crypto', {});
  await expect(checkInclusion(proof)).rejects.toBeInstanceOf(NoHashing);
});

it('hashes a record as the log does', async () => {
  // The vector of the ledger's own test.
  const record = { seq: 1, kind: 'published', actor: 'host:1', at: '1970-01-01T00:00:00.000007Z', text: '{}', prev: '0'.repeat(64) };
  const leaf = 'bd491ae8f865ea63e95de35285e42ba7ec3aae853bbee61636deecc614cfb12c';
  expect(await recordLeaf(record)).toBe(leaf);
  const others = [{ seq: 2 }, { kind: 'publishe' }, { actor: 'dhost:1' }, { at: '1970-01-01T00:00:00.000008Z' }, { text: '{ }' }, { prev: '1'.repeat(64) }];
  for (const change of others) expect(await recordLeaf({ ...record, ...change })).not.toBe(leaf);
  for (const change of [{ at: 'yesterday' }, { prev: '' }, { seq: 0.5 }]) expect(await recordLeaf({ ...record, ...change })).toBeNull();
});
