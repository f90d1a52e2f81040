/** The review queue over records of a club whose members are there twice: drawn, opened, decided by key, taken back. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from '@playwright/test';
import { expectNoBarriers, picture, settled, SIZES } from './barriers';
import { complaintsOf, expect, House, test } from './house';

const SOURCE = `apiVersion: throughline/v1
kind: Source
name: club
connector: csv
location: data/club.csv
consent: "'linking=granted'"
emits:
  - id: number
    kind: "'signup'"
    occurred_at: "'2026-02-01T00:00:00Z'"
    subjects: { loyalty: number }
    profile: { first: first, last: last, born: born, street: street }
`;

function club(root: string) {
  const first = ['ann', 'bob', 'clara', 'david', 'emma', 'felix', 'greta'];
  const last = ['abbotson', 'brennerley', 'carlsenman', 'dorfmanton', 'ekbergwell'];
  const rows = Array.from({ length: 60 }, (_, i) => {
    const [name, family] = [first[i % 7]!, last[Math.floor(i / 7) % 5]!];
    const rest = `${1940 + ((i * 37) % 60)}-05-${String(1 + ((i * 11) % 28)).padStart(2, '0')},${1 + ((i * 53) % 97)} mill lane`;
    return `a${i},${name},${family},${rest}\nb${i},${name},${i % 3 === 0 ? family.replace('er', 're') : family},${rest}\n`;
  });
  mkdirSync(join(root, 'data'), { recursive: true });
  writeFileSync(join(root, 'data', 'club.csv'), `number,first,last,born,street\n${rows.join('')}`);
  writeFileSync(join(root, 'sources', 'club.yaml'), SOURCE);
}

test('pairs are drawn, looked at and decided about', async ({ browser }) => {
  test.setTimeout(180_000);
  const house = new House();
  try {
    club(house.root);
    house.cli('run', house.root, '--stage', 'ingest', '--json');
    house.cli('run', house.root, '--stage', 'link', '--json');
    await house.serve();
    const api = await request.newContext();
    const token = new URL(house.link).hash.replace('#token=', '');
    expect((await api.post(`${house.url}/api/v1/session`, { data: { token } })).status()).toBe(200);
    await house.hire(api);
    await api.dispose();

    const page = await house.page(browser, 'mara');
    const complaints = complaintsOf(page);
    await page.goto('/matches');
    await page.getByRole('button', { name: 'Draw 50 pairs' }).click();
    const card = page.getByRole('region', { name: 'One person or two?' });
    await expect(card.getByRole('rowheader', { name: 'Street' })).toBeVisible();
    await expect(card.getByText('sealed').first()).toBeVisible();
    await page.keyboard.press('v');
    await expect(card.getByText(/mill lane/).first()).toBeVisible();
    const drawn = await card.getByText(/pairs left/).textContent();
    await page.keyboard.press('j');
    await expect(card.getByText(/^Joined/)).toBeVisible();
    await expect(card.getByText(/pairs left/)).not.toHaveText(drawn ?? '');
    await page.keyboard.press('p');
    await expect(page.getByRole('region', { name: 'Decided' }).getByText('two people')).toBeVisible();
    await page.keyboard.press('z');
    await expect(page.getByRole('region', { name: 'Decided' }).getByText('two people')).toHaveCount(0);
    await page.keyboard.press('s');
    expect(complaints).toEqual([]);
    await page.context().close();

    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of SIZES) {
        const seen = await house.page(browser, 'mara', { colorScheme, viewport });
        await seen.goto('/matches');
        await settled(seen);
        await seen.getByRole('button', { name: 'Show the records' }).click();
        await expect(seen.getByText(/mill lane/).first()).toBeVisible();
        await expectNoBarriers(seen, `matches, ${colorScheme}, ${viewport.width} px`);
        await picture(seen, `matches-queue-${viewport.width}-${colorScheme}`);
        await seen.context().close();
      }
    }
    const viewer = await house.page(browser, 'vera');
    await viewer.goto('/matches');
    await settled(viewer);
    await expect(viewer.getByRole('button', { name: 'Show the records' })).toHaveCount(0);
    await viewer.context().close();
  } finally {
    house.close();
  }
});
