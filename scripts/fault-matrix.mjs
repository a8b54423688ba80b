/** Writes the fault matrix, as the code has it, into docs/reliability.md. After `node scripts/build.mjs --dev`. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import matrixDocument from '../build/verification/fault-matrix-document.js';

const file = path.join(path.dirname(import.meta.dirname), 'docs/reliability.md');
const before = readFileSync(file, 'utf8');
const after = matrixDocument.withMatrix(before);
writeFileSync(file, after);
console.log(before === after ? `${file} is as it must be` : `${file}: the fault matrix was written anew`);
