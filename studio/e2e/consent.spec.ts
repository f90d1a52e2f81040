/** What the demo project's sources say about consent, counted as the command line counts it. */
import { complaintsOf, expect, test } from './house';

interface Told {
  people: number;
  purposes: { purpose: string; people: { granted: number; denied: number; unknown: number } }[];
  activation: { destination: string; reachable: number }[];
  removed: unknown[];
}

test('consent is shown as the command line tells it', async ({ browser, ready }) => {
  const told = JSON.parse(ready.cli('consent', 'report', ready.root, '--json')) as Told;
  const page = await ready.page(browser, 'vera');
  const complaints = complaintsOf(page);
  await page.goto('/');
  await page.getByRole('link', { name: 'Consent', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Consent' })).toBeFocused();
  const standing = page.getByRole('region', { name: 'What stands' });
  await standing.getByRole('button', { name: 'Show as table' }).click();
  const rows = standing.getByRole('table').getByRole('row');
  await expect(rows).toHaveCount(told.purposes.length + 1);
  for (const [at, { people }] of told.purposes.entries()) {
    const cells = await rows.nth(at + 1).getByRole('cell').allTextContents();
    const figures = cells.map((cell) => Number(cell.replaceAll(',', '')));
    expect(figures.slice(-3)).toEqual([people.granted, people.denied, people.unknown]);
    expect(people.granted + people.denied + people.unknown).toBe(told.people);
  }
  const reach = page.getByRole('region', { name: 'Who may be activated where' });
  for (const { reachable } of told.activation) {
    await expect(reach.getByRole('img', { name: `Permitted and reachable: ${reachable.toLocaleString('en-GB')}` })).toBeVisible();
  }
  const removed = page.getByRole('region', { name: 'What consent removed' });
  await expect(removed.getByRole('row')).toHaveCount(told.removed.length + 1);
  for (const card of await page.getByRole('region').all()) await expect(card).not.toContainText(/NaN|undefined|null/);
  expect(complaints).toEqual([]);
  await page.context().close();
});
