// Sums the gzip size of every script in dist and fails above the budget.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 300;
const assets = fileURLToPath(new URL('../dist/assets/', import.meta.url));
const sizes = readdirSync(assets)
  .filter((name) => name.endsWith('.js'))
  .map((name) => ({ name, kb: gzipSync(readFileSync(assets + name), { level: 9 }).length / 1000 }))
  .sort((a, b) => b.kb - a.kb);

for (const { name, kb } of sizes) console.log(`${kb.toFixed(1).padStart(8)} kB  ${name}`);
const total = sizes.reduce((sum, { kb }) => sum + kb, 0);
console.log(`${total.toFixed(1).padStart(8)} kB  total, gzip (budget ${BUDGET_KB} kB)`);
if (sizes.length === 0 || total > BUDGET_KB) {
  console.error(sizes.length === 0 ? 'no scripts in dist: build first' : 'over budget');
  process.exit(1);
}
