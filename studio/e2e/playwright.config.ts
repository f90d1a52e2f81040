import { existsSync } from 'node:fs';
import { defineConfig, devices } from '@playwright/test';

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .find((path) => path !== undefined && existsSync(path));
if (!chromium) throw new Error('no Chromium: install it (apt-get install chromium), or name one in CHROMIUM');

/** The studio as people use it: the real binary over a real project, in Chromium. */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  // One server at a time: runs of the line use every core.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 900 },
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        // As root, in a container, without a network beyond loopback.
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync',
      ],
    },
  },
});
