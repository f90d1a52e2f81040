/** Everything without a pointer. */
import type { Page } from '@playwright/test';
import { expect, test } from './house';

/** Tabs on until the focus is on something that matches. */
async function tabTo(page: Page, selector: string, most = 60) {
  for (let at = 0; at < most; at += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`${most} times Tab did not lead to ${selector}`);
}

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name });

test('from the sign-in to a journey and a request, by keys alone', async ({ browser, ready }) => {
  const context = await browser.newContext({ baseURL: ready.url });
  const page = await context.newPage();
  await page.goto('/sign-in');
  await expect(page.getByLabel('Name')).toBeVisible();
  await tabTo(page, 'input[name="username"]');
  await page.keyboard.type('otto');
  await page.keyboard.press('Tab');
  await page.keyboard.type('a long password');
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Overview')).toBeVisible();

  await tabTo(page, '.skip');
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();

  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(heading(page, 'Attribution')).toBeFocused();
  await tabTo(page, '[data-series]');
  const first = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  await page.keyboard.press('ArrowDown');
  const second = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  expect(second).not.toBe(first);
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Journeys')).toBeFocused();
  await expect(page).toHaveURL(/channel=/);

  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await expect(heading(page, 'Approvals')).toBeFocused();
  // The list comes after the heading.
  await expect(page.locator('#main a[href^="/approvals/"]').first()).toBeVisible();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/approvals\/\w+/);
  await context.close();
});

test('a dialog keeps the focus and gives it back', async ({ browser, ready }) => {
  const page = await ready.page(browser, 'otto');
  await page.goto('/');
  const button = page.getByRole('button', { name: 'Freeze deliveries' });
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('alertdialog');
  await expect(dialog.getByLabel('Reason')).toBeFocused();
  for (let at = 0; at < 6; at += 1) {
    await page.keyboard.press('Tab');
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  }
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(button).toBeFocused();
  await page.context().close();
});

test('the focus can always be seen', async ({ browser, ready }) => {
  const page = await ready.page(browser, 'ana');
  for (const path of ['/', '/attribution', '/decisions', '/approvals', '/audit', '/users', '/account']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.locator('main .skeleton')).toHaveCount(0);
    for (let at = 0; at < 25; at += 1) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return 'nothing';
        // A mark of a chart shows its focus by a ring of its own.
        if (element.closest('svg')) return 'mark';
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none' ? 'ring' : element.outerHTML.slice(0, 120);
      });
      expect(['ring', 'mark', 'nothing'], `${path}, stop ${at + 1}: ${seen}`).toContain(seen);
    }
  }
  await page.context().close();
});
