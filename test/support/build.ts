import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { transformFile } from '@swc/core';
import { workflowBundle } from './temporal';

/** A build for tests that run programs as processes: file by file and without checking types, which is quick. */
export interface Build {
  /** As `npm run build -- --dev` leaves it, with package.json, packages and cache beside it. */
  readonly folder: string;
  remove(): Promise<void>;
}

const ROOT = path.resolve(__dirname, '../..');
const SOURCES = ['src', 'dev', 'verification'] as const;

/** @param leaveOut what the programs do not need, below the project's folder */
export async function quickBuild(name: string, leaveOut = /^$/): Promise<Build> {
  const home = await mkdtemp(path.join(tmpdir(), `billpay-${name}-test-`));
  const folder = path.join(home, 'build');
  for (const file of await sourceFiles(leaveOut)) {
    const to = path.join(folder, file.replace(/\.ts$/, '.js'));
    const { code } = await transformFile(path.join(ROOT, file), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    await mkdir(path.dirname(to), { recursive: true });
    await writeFile(to, code);
  }
  await cp(path.join(ROOT, 'src/store/migrations'), path.join(folder, 'src/store/migrations'), { recursive: true });
  await cp(workflowBundle().codePath, path.join(folder, 'src/workflow-bundle.js'));
  await mkdir(path.join(ROOT, '.cache'), { recursive: true });
  for (const shared of ['package.json', 'node_modules', '.cache'])
    await symlink(path.join(ROOT, shared), path.join(home, shared));
  return { folder, remove: () => rm(home, { recursive: true, force: true }) };
}

async function sourceFiles(leaveOut: RegExp): Promise<readonly string[]> {
  const all = await Promise.all(SOURCES.map((folder) => readdir(path.join(ROOT, folder), { recursive: true })));
  return SOURCES.flatMap((folder, at) => (all[at] ?? []).map((name) => path.join(folder, name))).filter(
    (name) => name.endsWith('.ts') && !leaveOut.test(name),
  );
}
