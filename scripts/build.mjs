/**
 * Compiles the sources, with the migrations beside them and the workflows as one prebuilt bundle, so that a worker needs no
 * bundler at start-up. Without a word: dist/, which is what is shipped. `--dev`: build/, which has dev/ and verification/ too.
 * `--clean` starts from nothing (stale files would be packed).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleWorkflows } from './workflow-bundle.mjs';

const root = path.dirname(import.meta.dirname);
const inRoot = (...parts) => path.join(root, ...parts);
const isDev = process.argv.includes('--dev');
const [project, folder, sources] = isDev
  ? ['tsconfig.dev.json', 'build', 'build/src']
  : ['tsconfig.build.json', 'dist', 'dist'];

if (process.argv.includes('--clean')) rmSync(inRoot(folder), { recursive: true, force: true });

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
try {
  execFileSync(process.execPath, [tsc, '-p', inRoot(project)], { stdio: ['ignore', 'inherit', 'inherit'] });
} catch {
  process.exit(1); // the compiler has said why
}

// A migration that is gone must not be applied.
rmSync(inRoot(sources, 'store/migrations'), { recursive: true, force: true });
cpSync(inRoot('src/store/migrations'), inRoot(sources, 'store/migrations'), {
  recursive: true,
  filter: (file) => path.extname(file) === '' || file.endsWith('.sql'),
});
writeFileSync(inRoot(sources, 'workflow-bundle.js'), await bundleWorkflows(inRoot('src/workflows/index.ts')));

const command = inRoot(sources, 'cli/main.js');
if (existsSync(command)) chmodSync(command, 0o755);
