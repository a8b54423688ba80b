/** `node run-typescript.cjs <file.ts> <arguments>`: a TypeScript file in a process of its own, for tests that kill one. */
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
process.argv.splice(1, 1);
require(resolve(process.argv[1]));
