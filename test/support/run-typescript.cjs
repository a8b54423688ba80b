/** `node run-typescript.cjs <file.ts> <arguments>`: a TypeScript file in a process of its own, for tests that kill one. */
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformFileSync } = require('@swc/core');

require.extensions['.ts'] = (module, file) =>
  module._compile(
    transformFileSync(file, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    }).code,
    file,
  );

// The examples name the package as a user does; here that is its sources (jest.config.js says the same).
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = (request, ...rest) =>
  request === 'almara-bill-payments'
    ? resolve(__dirname, '../../src/client/index.ts')
    : resolveFilename(request, ...rest);

process.argv.splice(1, 1);
require(resolve(process.argv[1]));
