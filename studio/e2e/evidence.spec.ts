/** What the demo project's experiment says, and what is known from elsewhere: read, approved, contradicted, retired. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectNoBarriers, picture, settled, SIZES } from './barriers';
import { complaintsOf, expect, type House, test } from './house';

interface Told {
  experiments: { name: string; reading: { health: string; arms: { arm: string; units: number }[]; comparisons: { metric: string }[] } }[];
}

/** The answer of a command about a synthetic control, as `--json` prints it. */
const answer = (value: number, interval: [number, number]) => ({
  method: 'synthetic_control', tier: 2,
  assumptions: ['without the treatment, the treated unit would have gone on as the same mix of donors does', 'the treatment did not reach the donors'],
  diagnostics: [],
  estimate: { value, std_error: null, interval, p_value: 0.02, n: 39, level: 0.95, method: 'synthetic_control', inference: 'rank' },
  details: {
    times: ['2025-10', '2025-11', '2025-12', '2026-01', '2026-02'],
    cohorts: [{
      start: '2026-01', units: ['North'], pre_periods: 3, treated: [10, 11, 12, 9, 7], synthetic: [10.2, 10.9, 12.1, 12.4, 12.6], gaps: [-0.2, 0.1, -0.1, -3.4, -5.6],
      weights: [{ unit: 'South', weight: 0.7 }, { unit: 'West', weight: 0.3 }], fit: { rmspe_pre: 0.14 },
      placebo_gaps: [{ units: ['South'], gaps: [0.1, -0.2, 0.1, 0.4, -0.3], rmspe_pre: 0.14 }, { units: ['West'], gaps: [-0.3, 0.2, 0.1, 0.6, 0.9], rmspe_pre: 0.22 }],
    }],
  },
});

function learn(house: House, name: string, value: number, interval: [number, number]) {
  const file = join(house.root, '..', `${name}.json`);
  writeFileSync(file, JSON.stringify(answer(value, interval)));
  house.cli('evidence', 'record', file, house.root, '--name', name, '--command', 'panel', '--action', 'billboard', '--metric', 'orders', '--from', '2026-01-01', '--to', '2026-01-31');
}

test('the experiment of the demo is read with its health first', async ({ browser, ready }) => {
  const page = await ready.page(browser, 'vera');
  const complaints = complaintsOf(page);
  await page.goto('/');
  await page.getByRole('link', { name: 'Experiments', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Experiments' })).toBeFocused();
  const { experiments } = (await (await page.request.get('/api/v1/experiments')).json()) as Told;
  const { name, reading } = experiments[0]!;
  await page.getByRole('table', { name: 'Experiments' }).getByRole('link', { name, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeFocused();
  await expect(page.getByRole('heading', { level: 2 }).first()).toHaveText('Health checks');
  const sizes = page.getByRole('table', { name: 'Sizes of the arms' });
  for (const { units } of reading.arms) await expect(sizes).toContainText(units.toLocaleString('en-GB'));
  const verdicts = page.getByRole('region', { name: 'What it says' }).getByRole('listitem');
  await expect(verdicts).toHaveCount(reading.comparisons.length);
  const effects = page.getByRole('region', { name: /^Effect on/ });
  await expect(effects).toHaveCount(new Set(reading.comparisons.map(({ metric }) => metric)).size);
  await expect(effects.first().getByText(/1 reading, the last with data until/)).toBeVisible();
  await page.getByRole('radio', { name: 'Relative to control' }).click();
  await expect(page).toHaveURL(/effect=relative/);
  await expect(page.locator('main')).not.toContainText(/NaN|undefined|\bnull\b/);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('evidence from elsewhere is approved once its assumptions were read, contradicted, and retired', async ({ browser, ready }) => {
  // Eight pages are looked at on the way.
  test.setTimeout(180_000);
  learn(ready, 'north_test', -4.5, [-7, -2]);
  const vera = await ready.page(browser, 'vera');
  await vera.goto('/evidence?action=billboard');
  await vera.getByRole('region', { name: 'Billboard' }).getByRole('link', { name: /^Orders, from north_test/ }).click();
  await expect(vera.getByRole('heading', { level: 1, name: 'Billboard → Orders' })).toBeFocused();
  await expect(vera.getByRole('button', { name: /Approve|Retire/ })).toHaveCount(0);
  const address = vera.url();

  const mara = await ready.page(browser, 'mara');
  const complaints = complaintsOf(mara);
  await mara.goto(address);
  await mara.getByRole('button', { name: 'Approve its assumptions' }).click();
  const dialog = mara.getByRole('alertdialog');
  await dialog.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(dialog).toContainText('Tick each of them, or do not approve.');
  for (const box of await dialog.getByRole('checkbox').all()) await box.check();
  await dialog.getByLabel('Why they hold').fill('No other campaign in the north');
  await dialog.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(dialog).toHaveCount(0);
  const happened = 'What happened to it';
  await expect(mara.getByRole('region', { name: happened })).toContainText('mara answers for its assumptions. No other campaign in the north.');
  await expect(vera.getByRole('region', { name: happened }), 'without a reload').toContainText('mara answers');

  learn(ready, 'south_test', 3.1, [1, 5]);
  await mara.goto('/evidence');
  await expect(mara.getByRole('region', { name: 'Contradictions' })).toContainText('opposite directions');
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of SIZES) {
      for (const [name, to] of [['contradictions', '/evidence'], ['quasi-experiment', new URL(address).pathname + new URL(address).search]] as const) {
        const page = await ready.page(browser, 'mara', { colorScheme, viewport });
        await page.goto(to);
        await settled(page);
        await expectNoBarriers(page, `${name}, ${colorScheme}, ${viewport.width} px`);
        await picture(page, `${name}-${viewport.width}-${colorScheme}`);
        await page.context().close();
      }
    }
  }

  await mara.getByRole('region', { name: 'Contradictions' }).getByRole('link', { name: /^Open the record of south_test/ }).click();
  await mara.getByRole('button', { name: 'Retire' }).click();
  await dialog.getByRole('button', { name: 'Retire for good' }).click();
  await expect(dialog, 'only with a reason').toContainText('Say why.');
  await dialog.getByLabel('Reason').fill('The south had a holiday');
  await dialog.getByRole('button', { name: 'Retire for good' }).click();
  await expect(mara.getByText('Retired by mara: The south had a holiday.')).toBeVisible();
  await mara.getByRole('link', { name: 'Evidence', exact: true }).first().click();
  await expect(mara.getByRole('region', { name: 'Contradictions' })).toHaveCount(0);
  expect(complaints).toEqual([]);
  await vera.context().close();
  await mara.context().close();
});
