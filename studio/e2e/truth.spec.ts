/** The demo project is simulated: a run of the command line is held against what is true. */
import { complaintsOf, expect, test } from './house';

test('what models credit is read beside what channels caused', async ({ browser, ready }) => {
  const page = await ready.page(browser, 'vera');
  const complaints = complaintsOf(page);
  await page.goto('/');
  await page.getByRole('link', { name: 'Truth', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Truth' })).toBeFocused();
  await expect(page.getByRole('link', { name: 'run 1' })).toBeVisible();
  const chart = page.getByRole('region', { name: 'Credited and caused' });
  const marks = chart.locator('[data-series]');
  await expect(marks.first()).toBeVisible();
  const all = await marks.count();
  expect(await chart.locator('[data-series="caused"]').count()).toBe(8);
  await chart.getByRole('button', { name: 'Show as table' }).click();
  await expect(chart.getByRole('table').getByRole('row')).toHaveCount(all + 1);
  // Every part has numbers or a reason, and nothing is shown that is not a number.
  for (const part of ['Identity', 'Attribution', 'Return on spend', 'Evidence', 'Uplift', 'Policy', 'Closed loop', 'Watch']) {
    const card = page.getByRole('region', { name: part, exact: true });
    await expect(card.getByRole('table').or(card.getByText(/^Nothing to score/))).toBeVisible();
    await expect(card).not.toContainText(/NaN|undefined|null/);
  }
  await page.getByText('How it is measured: Attribution').click();
  await expect(page.getByText(/this market minus the same market without the channel\. Bias/)).toBeVisible();
  expect(complaints).toEqual([]);
  await page.context().close();
});
