import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The component library ships its messages in some thirty languages. The studio speaks English, so
// every other language is an empty module: the messages are looked up with English as the fallback.
const englishOnly = {
  name: 'english-only',
  enforce: 'pre' as const,
  load(id: string) {
    const file = id.replaceAll('\\', '/').split('?')[0] ?? '';
    const message = /\/(?:react-aria|react-stately|@react-aria|@react-stately)\/.*\/([a-z]{2}-[A-Z]{2})\.(?:mjs|js|json)$/;
    const locale = message.exec(file)?.[1];
    return locale && locale !== 'en-US' ? 'export default {}' : null;
  },
};

export default defineConfig({
  plugins: [englishOnly, react()],
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    // The content security policy allows no data: scripts or styles; small assets stay files too.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: { proxy: { '/api': 'http://127.0.0.1:7171' } },
  test: {
    include: ['src/**/*.test.{ts,tsx}'],
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
