/**
 * Fails when the workflow bundle grows past its limit. Every worker keeps the bundle in memory, and a library that slips in
 * (zod alone: 1.6 MB become 4.3 MB) shows here first.
 */
import path from 'node:path';
import { bundleWorkflows } from './workflow-bundle.mjs';

const LIMIT = 2_200_000;

const workflows = process.argv[2] ?? path.join(path.dirname(import.meta.dirname), 'src/workflows/index.ts');
const bytes = Buffer.byteLength(await bundleWorkflows(path.resolve(workflows)));
const inMegabytes = (size) => `${(size / 1e6).toFixed(2)} MB`;
console.log(`workflow bundle: ${inMegabytes(bytes)} (limit ${inMegabytes(LIMIT)})`);
if (bytes > LIMIT) {
  console.error(
    'The workflow bundle is over its limit: look for an import that does not belong into src/workflows or src/payment.',
  );
  process.exitCode = 1;
}
