/** How soon a reader sees something. A figure, not a test: it says how often it measured only when asked to. */
import { expect, test } from './house';

const TIMES = Number(process.env.PAINT ?? '0');
const BOUND_MS = 1_000;

test('the first paint', async ({ browser, ready }) => {
  test.skip(TIMES === 0, 'measured by `make paint`');
  test.setTimeout(TIMES * 10_000);
  const first: number[] = [];
  const whole: number[] = [];
  for (let at = 0; at < TIMES; at += 1) {
    // Each time with an empty cache, signed in, on the screen with the most on it.
    const page = await ready.page(browser, 'ana');
    await page.goto('/attribution');
    await expect(page.locator('[data-series]').first()).toBeVisible();
    const [paint, shown] = await page.evaluate(() => [
      performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN, performance.now(),
    ]);
    first.push(paint!);
    whole.push(shown!);
    await page.context().close();
  }
  const told = (all: number[]) => {
    const sorted = [...all].sort((a, b) => a - b).map(Math.round);
    return `min ${sorted[0]}, median ${sorted[Math.floor(sorted.length / 2)]}, max ${sorted.at(-1)} ms`;
  };
  console.log(`first contentful paint over ${TIMES} loads: ${told(first)}`);
  console.log(`attribution chart in sight: ${told(whole)}`);
  expect(Math.max(...first)).toBeLessThan(BOUND_MS);
});
