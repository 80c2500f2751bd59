import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const features = [
  'chat',
  'requests',
  'people',
  'sign-in',
  'setup',
  'shell',
  'owner',
  'relay',
  'box',
];

/**
 * Imports go one way: views → features → lib/ui, lib/model → lib/net → lib/store → lib/seal → lib/wire.
 * Neighbours in a folder import each other as `./x`; everything else goes by its alias, so that a
 * step in the wrong direction is visible to this rule.
 */
function mayNotImport(files, aliases, why) {
  return {
    files: files.flatMap((folder) => [`${folder}/**/*.ts`, `${folder}/**/*.svelte`]),
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: [...aliases, '../**'], message: why }] },
      ],
    },
  };
}

export default ts.config(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...ts.configs.stylistic,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['warn', 'error'] }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
  },
  {
    // What the screen must follow is $state in the models; their other maps and sets are book-keeping.
    files: ['**/*.svelte.ts'],
    rules: { 'svelte/prefer-svelte-reactivity': 'off' },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      'max-lines': ['error', { max: 200 }],
      'svelte/no-navigation-without-resolve': 'off',
      'svelte/no-at-html-tags': 'error',
    },
  },
  mayNotImport(
    ['src/lib/wire'],
    ['$lib/**', '$features/**', '$views/**'],
    'wire imports nothing of ours',
  ),
  mayNotImport(
    ['src/lib/text'],
    ['$lib/net/**', '$lib/model/**', '$lib/ui/**', '$features/**', '$views/**'],
    'the catalogue knows only the words of the wire',
  ),
  mayNotImport(
    ['src/lib/seal'],
    ['$lib/{net,store,text,model,ui}/**', '$features/**', '$views/**'],
    'seal imports wire only: the service worker carries it too',
  ),
  mayNotImport(
    ['src/lib/store'],
    ['$lib/{net,text,model,ui}/**', '$features/**', '$views/**'],
    'store imports seal and wire only: the service worker carries it too',
  ),
  mayNotImport(
    ['src/sw'],
    ['$lib/{net,model,ui}/**', '$features/**', '$views/**'],
    'the service worker has no page: it knows what is kept, how it is sealed, and our words',
  ),
  mayNotImport(
    ['src/lib/net'],
    ['$lib/model/**', '$lib/ui/**', '$features/**', '$views/**'],
    'net imports store, seal and wire only',
  ),
  mayNotImport(
    ['src/lib/model'],
    ['$lib/ui/**', '$features/**', '$views/**'],
    'models do not know the screen',
  ),
  mayNotImport(
    ['src/lib/ui'],
    ['$lib/net/**', '$lib/model/**', '$lib/wire/**', '$features/**', '$views/**'],
    'lib/ui holds no domain words: props in, callbacks out',
  ),
  ...features.map((feature) =>
    mayNotImport(
      [`src/features/${feature}`],
      ['$lib/net/**', '$features/**', '$views/**'],
      'a feature never imports another feature, and components never import net',
    ),
  ),
  mayNotImport(['src/views'], ['$lib/net/**'], 'components never import net'),
);
