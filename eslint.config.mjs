import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { importDirections } from './eslint/import-directions.mjs';
import { noCircles } from './eslint/no-circles.mjs';

const layout = { rules: { 'import-directions': importDirections, 'no-circles': noCircles } };

export default defineConfig(
  globalIgnores(['dist/', 'build/', 'coverage/', '.cache/', 'test/fixtures/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // An `async` function without `await` is how an interface that answers promises is met.
      '@typescript-eslint/require-await': 'off',
      // A number in a message reads as itself.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['**/*.ts'],
    plugins: { layout },
    rules: { 'layout/import-directions': 'error' },
  },
  {
    files: ['src/**/*.ts', 'dev/**/*.ts', 'verification/**/*.ts'],
    rules: { 'layout/no-circles': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/config.ts reads the environment.' },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: ['process', 'node:process'].map((name) => ({
            name,
            importNames: ['env', 'default'],
            message: 'Only src/config.ts reads the environment.',
          })),
        },
      ],
    },
  },
  {
    // What decides inside a workflow must be the same on replay. The sandbox of the SDK replaces these, but pure code
    // that asks for the time or for chance has no business here: the workflow passes both in.
    files: ['src/payment/**/*.ts', 'src/workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'process',
          'Buffer',
          'fetch',
          'require',
          'setImmediate',
          'setInterval',
          'WeakRef',
          'FinalizationRegistry',
        ].map((name) => ({
          name,
          message: 'Not deterministic, or not there, inside a workflow.',
        })),
      ],
    },
  },
  {
    // After a local activity the clock of a replay may say something else: only timers may tell a workflow that it is time.
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'BinaryExpression[operator=/^[<>]=?$/] CallExpression[callee.object.name="Date"]',
          message: 'A branch on the clock does not replay: wait for a timer.',
        },
      ],
    },
  },
  {
    // Tests look into answers of unknown shape; a wrong guess there is a red test and nothing worse.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
