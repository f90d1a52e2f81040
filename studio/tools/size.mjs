// Sums the gzip size of every script in dist, and of those that the first page loads, and fails above the budgets.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** All screens together; each is a chunk of its own and loads when it is opened. */
const BUDGET_KB = 320;
/** What stands between a person and the first page: the frame and the overview. */
const FIRST_KB = 185;

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const assets = `${dist}assets/`;
const code = new Map(readdirSync(assets).filter((name) => name.endsWith('.js')).map((name) => [name, readFileSync(assets + name)]));
const kb = new Map([...code].map(([name, text]) => [name, gzipSync(text, { level: 9 }).length / 1000]));

/** A chunk with everything that it imports at once. */
function loaded(name, seen = new Set()) {
  if (seen.has(name) || !code.has(name)) return seen;
  seen.add(name);
  for (const [, other] of code.get(name).toString().matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) loaded(other, seen);
  return seen;
}

const entry = /assets\/([^"]+\.js)"/.exec(readFileSync(`${dist}index.html`, 'utf8'))?.[1];
const overview = [...code.keys()].find((name) => name.startsWith('overview-'));
const first = loaded(overview, loaded(entry));
const sum = (names) => [...names].reduce((all, name) => all + kb.get(name), 0);

for (const [name, size] of [...kb].sort((a, b) => b[1] - a[1])) console.log(`${size.toFixed(1).padStart(8)} kB  ${name}${first.has(name) ? '  (first page)' : ''}`);
const told = [[sum(kb.keys()), BUDGET_KB, 'total'], [sum(first), FIRST_KB, 'first page']];
for (const [size, budget, what] of told) console.log(`${size.toFixed(1).padStart(8)} kB  ${what}, gzip (budget ${budget} kB)`);
if (code.size === 0 || !entry || !overview || told.some(([size, budget]) => size > budget)) {
  console.error(code.size === 0 ? 'no scripts in dist: build first' : !entry || !overview ? 'the first page is not found' : 'over budget');
  process.exit(1);
}
