/** Every screen, in both themes and at both widths: no barrier that axe finds, nothing wider than the window. */
import type { APIRequestContext } from '@playwright/test';
import { expectNoBarriers, picture, settled, SIZES } from './barriers';
import { complaintsOf, expect, test } from './house';

/** Addresses by name; where one item is shown, the first of its list. */
const SCREENS: Record<string, (api: APIRequestContext) => Promise<string>> = {
  overview: async () => '/',
  sources: async () => '/sources',
  consent: async () => '/consent',
  matches: async () => '/matches',
  journeys: async () => '/journeys',
  conversion: async (api) => `/journeys/${(await first(api, '/conversions')).id}`,
  paths: async () => '/journeys/paths',
  'paths-part': async () => '/journeys/paths?geo=nowhere&from=2020-01-02&to=2020-01-01',
  attribution: async () => '/attribution',
  'attribution-part': async () => '/attribution?from=2020-01-01&device=mobile',
  'attribution-return': async () => '/attribution?measure=roas',
  'attribution-campaigns': async () => '/attribution?view=breakdown',
  'attribution-campaigns-part': async () => '/attribution?view=breakdown&from=2020-01-01',
  'attribution-days': async () => '/attribution?view=breakdown&by=day',
  'attribution-platforms': async () => '/attribution?view=platforms',
  experiments: async () => '/experiments',
  experiment: async (api) => `/experiments/${(await of<{ experiments: { name: string }[] }>(api, '/experiments')).experiments[0]!.name}`,
  evidence: async () => '/evidence',
  'evidence-record': async (api) =>
    `/evidence/record?id=${encodeURIComponent((await of<{ items: { record: { id: string } }[] }>(api, '/evidence')).items[0]!.record.id)}`,
  decisions: async () => '/decisions',
  decision: async (api) => `/decisions/${(await first(api, '/decisions')).entity_id}`,
  person: async (api) => `/persons/${(await first(api, '/decisions')).entity_id}`,
  truth: async () => '/truth',
  approvals: async () => '/approvals',
  approval: async (api) => `/approvals/${(await first(api, '/approvals')).id}`,
  audit: async () => '/audit',
  users: async () => '/users',
  account: async () => '/account',
  unknown: async () => '/nothing-here',
};

async function of<T>(api: APIRequestContext, path: string): Promise<T> {
  return (await (await api.get(`/api/v1${path}`)).json()) as T;
}

async function first(api: APIRequestContext, path: string): Promise<Record<string, string>> {
  const answer = await api.get(`/api/v1${path}?limit=1`);
  const { items } = (await answer.json()) as { items: Record<string, string>[] };
  expect(items.length, `${path} lists something`).toBeGreaterThan(0);
  return items[0]!;
}

for (const [name, address] of Object.entries(SCREENS)) {
  test(`${name} has no barriers`, async ({ browser, ready }) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of SIZES) {
        const page = await ready.page(browser, 'ana', { colorScheme, viewport });
        const complaints = complaintsOf(page);
        const where = `${name}, ${colorScheme}, ${viewport.width} px`;
        await page.goto(await address(page.request));
        await settled(page);
        await expectNoBarriers(page, where);
        expect(complaints, where).toEqual([]);
        await picture(page, `${name}-${viewport.width}-${colorScheme}`);
        await page.context().close();
      }
    }
  });
}

test('the sign-in page has no barriers', async ({ browser, ready }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of SIZES) {
      const context = await browser.newContext({ baseURL: ready.url, colorScheme, viewport });
      const page = await context.newPage();
      await page.goto('/sign-in');
      await expect(page.getByLabel('Name')).toBeVisible();
      await expectNoBarriers(page, `sign-in, ${colorScheme}, ${viewport.width} px`);
      await picture(page, `sign-in-${viewport.width}-${colorScheme}`);
      await context.close();
    }
  }
});

test('every screen that can be reached is in this list', async ({ browser, ready }) => {
  const page = await ready.page(browser, 'ana');
  await page.goto('/');
  const links = page.getByRole('navigation', { name: 'Screens' }).getByRole('link');
  await expect(links.first()).toBeVisible();
  const listed = await Promise.all(Object.values(SCREENS).map((address) => address(page.request)));
  for (const link of await links.all()) expect(listed).toContain(await link.getAttribute('href'));
  await page.context().close();
});
