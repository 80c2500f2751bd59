import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import { ownerApp } from './owner-app.vite.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run dev` finds a running box, for instance `motoreach demo --listen 127.0.0.1:8480`. */
const box = process.env['MOTOREACH_BOX'] ?? 'http://127.0.0.1:8480';

export default defineConfig({
  plugins: [svelte(), svelteTesting(), ownerApp()],
  resolve: {
    alias: {
      $lib: at('./src/lib'),
      $features: at('./src/features'),
      $views: at('./src/views'),
    },
  },
  build: {
    target: 'es2022',
    // The box's content security policy allows scripts and styles from itself only: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: { proxy: { '/api': box, '/ws': { target: box, ws: true } } },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    restoreMocks: true,
  },
});
