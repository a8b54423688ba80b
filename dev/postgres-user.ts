import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root. Where we are root it runs as this user; otherwise as ourselves. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

const CANDIDATES = ['postgres', 'nobody'];

export async function chooseUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {};
  for (const name of CANDIDATES) {
    try {
      const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
      return { uid, gid };
    } catch {
      // The next one.
    }
  }
  throw new Error(
    `PostgreSQL does not run as root, and there is no user ${CANDIDATES.join(' or ')} to run it as. Start this as another user, or set DATABASE_URL.`,
  );
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number> {
  return Number((await run('id', [flag, name])).stdout.trim());
}

/** What the programs get to see: none of our secrets, and messages in English. */
export const PLAIN_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Whether that user gets through to a path: a folder above may be closed to it (`/root`, a private checkout). */
export async function canReach(user: RunAs, path: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...user, cwd: '/', env: PLAIN_ENVIRONMENT });
    return true;
  } catch {
    return false;
  }
}

/** A folder for that user alone. One that somebody else has put there is refused: in a shared /tmp it could be a trap. */
export async function privateFolder(user: RunAs, path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  const ours = [process.getuid?.(), user.uid];
  if (!found.isDirectory() || !ours.includes(found.uid))
    throw new Error(`${path} belongs to somebody else. Remove it, or set DATABASE_URL.`);
  if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
  await chmod(path, 0o700);
  return path;
}
