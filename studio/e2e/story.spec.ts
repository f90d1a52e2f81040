/** A team's first day: from the printed link to a delivery that people agreed to, and the proof of it. */
import { complaintsOf, expect, test } from './house';

test.describe.configure({ mode: 'serial' });

test('the printed link signs the first administrator in, once', async ({ browser, fresh }) => {
  const context = await browser.newContext({ baseURL: fresh.url });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(fresh.link);
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  expect(page.url(), 'the token leaves the address').not.toContain('token');
  expect(await page.evaluate(() => document.cookie), 'scripts cannot read the session').toBe('');
  await expect(page.getByRole('heading', { name: 'Run the line once to see it here' })).toBeVisible();
  await fresh.hire(context.request);
  expect(complaints).toEqual([]);
  await context.close();

  const second = await browser.newContext({ baseURL: fresh.url });
  const late = await second.newPage();
  await late.goto(fresh.link);
  await expect(late.getByRole('alert')).toContainText('TL9');
  await expect(late.getByRole('heading', { level: 1, name: /Sign in/ })).toBeVisible();
  await second.close();
});

test('a marketer runs the line and watches it', async ({ browser, fresh }) => {
  const [mara, vera] = [await fresh.page(browser, 'mara'), await fresh.page(browser, 'vera')];
  await expect(vera.getByRole('button', { name: 'Run the line' }), 'a viewer cannot start one').toHaveCount(0);
  await mara.getByRole('button', { name: 'Run the line' }).click();
  // Both see it at work: nobody reloads.
  for (const page of [mara, vera]) await expect(page.getByText(/Run started by mara/)).toBeVisible();
  await expect(mara.getByRole('progressbar').first()).toBeVisible();
  await expect(mara.getByText('Running', { exact: true }).first()).toBeVisible();
  for (const page of [mara, vera]) await expect(page.getByText(/Run started by mara/)).toBeHidden({ timeout: 120_000 });
  const stages = mara.locator('.stage');
  await expect(stages).toHaveCount(10);
  for (const stage of await stages.all()) await expect(stage).toHaveAttribute('data-state', /done|waiting/);
  await expect(vera.getByLabel('Tables of Ingest')).toContainText('events');
  await mara.context().close();
  await vera.context().close();
});

test('attribution is read with its intervals, as a chart and as a table', async ({ browser, fresh }) => {
  const page = await fresh.page(browser, 'vera');
  const complaints = complaintsOf(page);
  await page.goto('/');
  await page.getByRole('link', { name: 'Attribution', exact: true }).click();
  const marks = page.locator('[data-series]');
  await expect(marks.first()).toBeVisible();
  const labels = await marks.evaluateAll((all) => all.map((mark) => mark.getAttribute('aria-label') ?? ''));
  expect(labels.length).toBeGreaterThan(10);
  for (const label of labels) expect(label).toMatch(/: −?[\d.,]+, (\d+% interval −?[\d.,]+ to −?[\d.,]+|.+)/);
  expect(labels.filter((label) => label.includes('interval ')).length).toBe(labels.length);
  await page.getByRole('button', { name: 'Show as table' }).last().click();
  const table = page.getByRole('table', { name: /Conversions credited/ });
  await expect(table.getByRole('row')).toHaveCount(labels.length + 1);
  await page.getByRole('radio', { name: /Value/ }).click();
  await expect(page).toHaveURL(/measure=value/);
  await expect(page.getByRole('table', { name: /Value credited/ })).toContainText('€');
  await page.getByRole('tab', { name: 'Broken down' }).click();
  await expect(page).toHaveURL(/view=breakdown/);
  await expect(page.getByText('✓ ties out')).toBeVisible();
  await page.getByRole('radio', { name: 'Day', exact: true }).click();
  await expect(page).toHaveURL(/by=day/);
  await expect(page.getByText('✓ ties out')).toBeVisible();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a part of the journeys is chosen once, and kept from screen to screen', async ({ browser, fresh }) => {
  const page = await fresh.page(browser, 'mara');
  const complaints = complaintsOf(page);
  await page.goto('/attribution');
  const bar = page.getByRole('region', { name: 'Filters' });
  const said = bar.getByRole('status');
  await expect(said).toHaveText('All journeys');
  const [first, last] = await Promise.all(['min', 'max'].map((end) => bar.getByLabel('From').getAttribute(end)));
  const middle = new Date((Date.parse(first!) + Date.parse(last!)) / 2).toISOString().slice(0, 10);
  await bar.getByLabel('From').fill(middle);
  await expect(page).toHaveURL(new RegExp(`from=${middle}`));
  await expect(said).toHaveText(/^Part: [\d,]+ of [\d,]+ journeys with a touch$/);
  const [part, all] = (await said.innerText()).match(/[\d,]+/g)!.map((text) => Number(text.replaceAll(',', '')));
  expect(part).toBeGreaterThan(0);
  expect(part).toBeLessThan(all!);
  // Every model shares out the conversions of the part.
  const totals = page.getByRole('table', { name: 'Sum of every model over all channels' });
  await expect(totals.getByText('✓ exact').first()).toBeVisible();
  await expect(totals.getByText(/off by/)).toHaveCount(0);
  await page.getByRole('tab', { name: 'Broken down' }).click();
  await expect(page.getByText(/The breakdown is of all journeys/)).toBeVisible();
  await expect(page.getByText('✓ ties out')).toBeVisible();
  await page.getByRole('link', { name: 'Journeys', exact: true }).click();
  await page.getByRole('link', { name: 'Explore paths' }).click();
  await expect(page).toHaveURL(new RegExp(`/journeys/paths\\?.*from=${middle}`));
  await expect(said).toHaveText(/^Part: [\d,]+ of [\d,]+ journeys$/);
  await bar.getByRole('button', { name: 'Clear' }).click();
  await expect(said).toHaveText('All journeys');
  await expect(page).not.toHaveURL(/from=/);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a decision is followed back to the first signal', async ({ browser, fresh }) => {
  const page = await fresh.page(browser, 'mara');
  const complaints = complaintsOf(page);
  await page.goto('/decisions');
  await page.getByRole('button', { name: /Action/ }).click();
  await page.getByRole('option', { name: /offer/i }).click();
  await expect(page).toHaveURL(/action=email_offer/);
  await page.getByRole('table', { name: 'Decisions' }).getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1, name: /offer for/i })).toBeVisible();
  for (const part of ['Event', 'Person', 'Journey', 'Evidence', 'Decision', 'Delivery']) {
    await expect(page.getByRole('heading', { level: 2, name: part, exact: true }).first()).toBeVisible();
  }
  await expect(page.getByText('Expected net value').first()).toBeVisible();
  await page.getByRole('navigation', { name: 'Parts of the thread' }).getByRole('link', { name: 'Evidence' }).click();
  await expect(page).toHaveURL(/#evidence$/);
  await page.locator('#person').getByRole('link').first().click();
  await expect(page.getByRole('heading', { level: 1, name: /Person/ })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: /offer for/i })).toBeVisible();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('who may not see personal data sees that it is masked', async ({ browser, fresh }) => {
  const page = await fresh.page(browser, 'vera');
  await page.goto('/decisions');
  await page.getByRole('table', { name: 'Decisions' }).getByRole('link').first().click();
  await expect(page.getByText('masked for your role').first()).toBeVisible();
  await page.context().close();
});

test('whoever asked cannot approve, and the approver can', async ({ browser, fresh }) => {
  const mara = await fresh.page(browser, 'mara');
  await mara.goto('/approvals');
  await mara.getByRole('link', { name: /spring_mail|spring mail/i }).first().click();
  await expect(mara.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(mara.getByRole('button', { name: /^Approve/ })).toHaveCount(0);
  const address = new URL(mara.url()).pathname;

  const otto = await fresh.page(browser, 'otto');
  const complaints = complaintsOf(otto);
  await otto.goto(address);
  await otto.getByRole('button', { name: /^Approve/ }).first().click();
  await otto.getByRole('alertdialog').getByRole('button', { name: /^Approve/ }).click();
  // The run it waited for begins at once, and puts it into effect.
  await expect(otto.locator('main').getByText(/applied/i).first()).toBeVisible({ timeout: 120_000 });
  await expect(mara.locator('main').getByText(/applied/i).first(), 'without a reload').toBeVisible();
  await mara.goto('/');
  await expect(mara.getByLabel('Tables of Activate')).toContainText('deliveries');
  expect(complaints).toEqual([]);
  await mara.context().close();
  await otto.context().close();
});

test('a request is rejected with a reason, and only with one', async ({ browser, fresh }) => {
  const mara = await fresh.page(browser, 'mara');
  await mara.goto('/approvals');
  await mara.getByRole('button', { name: 'Ask for approval' }).click();
  const ask = mara.getByRole('alertdialog');
  await ask.getByLabel('Title').fill('Move the budget of March');
  await ask.getByLabel(/^(Reason|Why)/).fill('Search is dear');
  await ask.getByRole('button', { name: /^Ask/ }).click();
  await expect(mara.getByText('Move the budget of March').first()).toBeVisible();

  const otto = await fresh.page(browser, 'otto');
  await otto.goto('/approvals');
  await otto.getByRole('link', { name: /Move the budget of March/ }).click();
  await otto.getByRole('button', { name: /^Reject/ }).first().click();
  const dialog = otto.getByRole('alertdialog');
  await dialog.getByRole('button', { name: /^Reject/ }).click();
  await expect(dialog, 'a rejection says why').toBeVisible();
  await dialog.getByRole('textbox').first().fill('Not before the test is read');
  await dialog.getByRole('button', { name: /^Reject/ }).click();
  await expect(otto.locator('main').getByText(/rejected/i).first()).toBeVisible();
  await expect(otto.locator('main')).toContainText('Not before the test is read');
  await mara.context().close();
  await otto.context().close();
});

test('a freeze stops everything, at once and for all to see', async ({ browser, fresh }) => {
  const [otto, vera] = [await fresh.page(browser, 'otto'), await fresh.page(browser, 'vera')];
  await otto.goto('/');
  await vera.goto('/attribution');
  await otto.getByRole('button', { name: 'Freeze deliveries' }).click();
  await otto.getByRole('alertdialog').getByLabel('Reason').fill('Complaints about the offer');
  await otto.getByRole('button', { name: 'Freeze now' }).click();
  await expect(vera.getByText('Deliveries are frozen.'), 'on every screen, without a reload').toBeVisible();
  await expect(vera.getByRole('button', { name: 'Release' })).toHaveCount(0);
  const mara = await fresh.page(browser, 'mara');
  await mara.goto('/');
  await mara.getByRole('button', { name: 'Release' }).click();
  await mara.getByRole('alertdialog').getByLabel('Reason').fill('Solved');
  await mara.getByRole('alertdialog').getByRole('button', { name: 'Release' }).click();
  await expect(vera.getByText('Deliveries are frozen.')).toBeHidden();
  for (const page of [otto, vera, mara]) await page.context().close();
});

test('the log is verified, and a record proved to stand in it', async ({ browser, fresh }) => {
  const page = await fresh.page(browser, 'ana');
  const complaints = complaintsOf(page);
  await page.goto('/audit');
  await page.getByRole('button', { name: /Verify the whole log/ }).click();
  await expect(page.locator('main').getByText(/intact/i).first()).toBeVisible();
  await page.getByRole('table').getByRole('button').or(page.getByRole('table').getByRole('link')).first().click();
  await page.getByRole('button', { name: /Check that it stands in the log/ }).click();
  await expect(page.getByText(/stands in the log|holds/i).first()).toBeVisible();
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('a token is shown once and works as far as its scopes go', async ({ browser, fresh, request }) => {
  const page = await fresh.page(browser, 'mara');
  await page.goto('/account');
  await page.getByRole('button', { name: /(New|Make|Create|Add).*token/i }).first().click();
  const dialog = page.getByRole('alertdialog');
  await dialog.getByLabel('Label').fill('Nightly export');
  await dialog.getByLabel(/^read/i).check();
  await dialog.getByRole('button', { name: /(Make|Create|Add)/ }).click();
  await expect(dialog).toContainText('tlk_');
  const token = (await dialog.innerText()).match(/tlk_\w+/)?.[0] ?? '';
  expect(token).not.toBe('');
  await page.keyboard.press('Escape');
  await expect(page.getByText('Nightly export').first()).toBeVisible();
  expect(await page.content(), 'it is gone').not.toContain(token);
  const headers = { authorization: `Bearer ${token}` };
  expect((await request.get(`${fresh.url}/api/v1/line`, { headers })).status()).toBe(200);
  expect((await request.post(`${fresh.url}/api/v1/runs`, { headers, data: {} })).status(), 'reading only').toBe(403);
  await page.context().close();
});
