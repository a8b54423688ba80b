/**
 * One closing line from Jest's own results: `12 passed, 0 failed` (and `, 3 skipped`). A test file that did not even load counts
 * as one failure. Fails when anything failed, and when nothing ran.
 */
import { existsSync, readFileSync } from 'node:fs';

const file = process.argv[2];
if (!existsSync(file)) {
  console.log('The tests did not run: a server they need could not be started, or Jest refused its configuration.');
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const results = JSON.parse(readFileSync(file, 'utf8'));
const passed = results.numPassedTests;
const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
const skipped = results.numPendingTests + results.numTodoTests;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
if (failed > 0 || passed === 0 || !results.success) process.exitCode = 1;
