/**
 * Writes what documents have of the code: the fault matrix, and the tests of each guarantee. After
 * `node scripts/build.mjs --dev`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import matrixDocument from '../build/verification/fault-matrix-document.js';
import guaranteeTests from '../build/verification/guarantee-tests.js';

const root = path.dirname(import.meta.dirname);
const read = (file) => readFileSync(path.join(root, file), 'utf8');

const tests = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`)
  .map((file) => ({ file, source: read(file) }));

const PAGES = {
  'docs/fault-matrix.md': matrixDocument.withMatrix,
  'docs/guarantees.md': (document) => guaranteeTests.withTests(document, tests),
};

for (const [file, made] of Object.entries(PAGES)) {
  const before = read(file);
  const after = made(before);
  writeFileSync(path.join(root, file), after);
  console.log(before === after ? `${file} is as it must be` : `${file} was written anew`);
}
