/** What makes owners' pages an app: its icons and its service worker, built beside the page. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { build, type Plugin, type ResolvedConfig } from 'vite';
import { drawIcons } from './scripts/icons.ts';

/** What the worker keeps besides the files that the build names after their content. */
const kept = ['/favicon.svg', '/icons/icon-192.png'];

export function ownerApp(): Plugin {
  let config: ResolvedConfig;
  let files: readonly string[] = [];
  return {
    name: 'owner-app',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async generateBundle() {
      for (const { name, bytes } of await drawIcons(join(config.publicDir, 'favicon.svg'))) {
        this.emitFile({ type: 'asset', fileName: `icons/${name}`, source: bytes });
      }
    },
    writeBundle(_, bundle) {
      const assets = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
      files = [...assets.map((name) => `/${name}`), ...kept].sort();
    },
    /** One file with a fixed name: a worker's address must stay the same from release to release. */
    async closeBundle() {
      const name = createHash('sha256').update(files.join()).digest('hex').slice(0, 16);
      await build({
        configFile: false,
        root: config.root,
        logLevel: 'warn',
        resolve: { alias: config.resolve.alias },
        define: { SHELL: JSON.stringify(files), SHELL_NAME: JSON.stringify(`shell-${name}`) },
        build: {
          target: 'es2022',
          outDir: config.build.outDir,
          emptyOutDir: false,
          copyPublicDir: false,
          rollupOptions: {
            input: join(config.root, 'src/sw/worker.ts'),
            output: { format: 'iife', entryFileNames: 'sw.js' },
          },
        },
      });
    },
  };
}
