/** A server of the binary over a demo project, and people who can sign in to it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type APIRequestContext, type Browser, type BrowserContext, expect, type Page, request, test as base } from '@playwright/test';

const BINARY = process.env.THROUGHLINE_BIN ?? '';
const PASSWORD = 'a long password';
const PEOPLE = '700';

/** Everybody's sign-in name, and what they hold. */
export const STAFF = {
  vera: { display_name: 'Vera Viewer', roles: ['viewer'], sign_offs: [] },
  mara: { display_name: 'Mara Marketer', roles: ['marketer'], sign_offs: [] },
  otto: { display_name: 'Otto Approver', roles: ['approver'], sign_offs: ['finance'] },
  ana: { display_name: 'Ana Admin', roles: ['admin'], sign_offs: [] },
} as const;
export type Name = keyof typeof STAFF;

export class House {
  readonly root: string;
  url = '';
  /** Of the link that the first start prints. */
  link = '';
  private server: ChildProcess | null = null;
  private readonly signedIn = new Map<Name, Awaited<ReturnType<BrowserContext['storageState']>>>();

  constructor() {
    this.root = join(mkdtempSync(join(tmpdir(), 'throughline-')), 'demo');
    this.cli('init', this.root, '--example', 'demo', '--people', PEOPLE);
  }

  /** Runs a command of the binary and gives what it prints. */
  cli(...args: string[]): string {
    return execFileSync(BINARY, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  }

  async serve(): Promise<void> {
    const server = spawn(BINARY, ['serve', this.root, '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.server = server;
    const lines = createInterface({ input: server.stdout });
    let text = '';
    for await (const line of lines) {
      text += line;
      try {
        const told = JSON.parse(text) as { url: string; sign_in: string | null };
        this.url = told.url;
        this.link = told.sign_in ?? '';
        return;
      } catch {
        // The rest is still to come.
      }
    }
    throw new Error(`the server ended: ${text}`);
  }

  /** Makes everybody's account, as an administrator whose cookies these are. */
  async hire(api: APIRequestContext): Promise<void> {
    const session = await api.get(`${this.url}/api/v1/session`);
    const { csrf_token } = (await session.json()) as { csrf_token: string };
    for (const [name, person] of Object.entries(STAFF)) {
      const data = { name, password: PASSWORD, ...person };
      const made = await api.post(`${this.url}/api/v1/users`, { data, headers: { 'x-csrf-token': csrf_token } });
      expect(made.status(), await made.text()).toBe(201);
    }
  }

  /** A page of somebody who is signed in. Their first time goes through the form, as there are only so many a minute. */
  async page(browser: Browser, name: Name, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const known = this.signedIn.get(name);
    const context = await browser.newContext({ baseURL: this.url, storageState: known, ...options });
    const page = await context.newPage();
    if (!known) {
      await page.goto('/sign-in');
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
      this.signedIn.set(name, await context.storageState());
    }
    return page;
  }

  close() {
    this.server?.kill('SIGKILL');
    rmSync(join(this.root, '..'), { recursive: true, force: true });
  }
}

/** What a page must never do. Gives the complaints so far. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // An answer that is a problem is logged by the browser itself; screens show it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  return complaints;
}

interface Houses {
  /** Just made: no run yet, nobody but the first administrator's link. */
  fresh: House;
  /** Run once, with everybody hired; a request waits for approval. */
  ready: House;
}

export const test = base.extend<object, Houses>({
  fresh: [
    async ({}, use) => {
      const house = new House();
      await house.serve();
      await use(house);
      house.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  ready: [
    async ({}, use) => {
      const house = new House();
      house.cli('run', house.root, '--json');
      await house.serve();
      const api = await request.newContext();
      const token = new URL(house.link).hash.replace('#token=', '');
      expect((await api.post(`${house.url}/api/v1/session`, { data: { token } })).status()).toBe(200);
      await house.hire(api);
      await api.dispose();
      await use(house);
      house.close();
    },
    { scope: 'worker', timeout: 180_000 },
  ],
});
export { expect };
