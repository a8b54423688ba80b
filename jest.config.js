/** Stack traces name lines of the sources: swc puts its source maps inside. */
const common = {
  testEnvironment: 'node',
  // The examples name the package as a user does; here that is its sources (tsconfig.json says the same).
  moduleNameMapper: {
    '^almara-bill-payments$': '<rootDir>/src/client/index.ts',
    '^almara-bill-payments/(worker|callbacks)$': '<rootDir>/src/$1/index.ts',
  },
  transform: {
    '^.+\\.ts$': ['@swc/jest', { sourceMaps: 'inline', jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }],
  },
};

/**
 * Two projects: `fast` needs no server and takes seconds; `live` runs the system. Jest runs a project's global setup only for tests of
 * that project.
 * @type {import('jest').Config}
 */
module.exports = {
  maxWorkers: 3,
  // Concurrent tests of one file wait for an engine far more than they compute.
  maxConcurrency: 16,
  // Counted for all projects: Jest knows it only here. The last resort: what a test waits for has its own, shorter limit.
  testTimeout: 300_000,
  projects: [
    {
      ...common,
      displayName: 'fast',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['\\.live\\.test\\.ts$'],
    },
    {
      ...common,
      displayName: 'live',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.live.test.ts'],
      testEnvironment: '<rootDir>/test/support/environment.ts',
      globalSetup: '<rootDir>/test/support/global-setup.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    },
  ],
};
