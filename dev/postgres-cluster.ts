import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './postgres-binaries';
import { launch } from './postgres-server';
import { canReach, chooseUser, PLAIN_ENVIRONMENT, privateFolder, type RunAs } from './postgres-user';

const run = promisify(execFile);

export interface ClusterSettings {
  readonly cacheDir: string;
  readonly ephemeral: boolean;
  readonly fsync: boolean;
  readonly progress: (line: string) => void;
}

export interface Cluster {
  readonly url: string;
  stop(): Promise<void>;
  /** The server dies as in a crash: what was committed is on disk, or in the hands of the system. */
  kill(): Promise<void>;
  /** Starts it again after `kill`: same data, same address. */
  restart(): Promise<void>;
}

/** A private cluster: made if it is not there yet, started on a free port of the loopback address, behind a password of its own. */
export async function startCluster(binaries: Binaries, settings: ClusterSettings): Promise<Cluster> {
  const user = await chooseUser();
  const home = settings.ephemeral ? await temporaryHome(user) : await lastingHome(user, settings);
  const discard = () => (settings.ephemeral ? rm(home, { recursive: true, force: true }) : Promise.resolve());
  try {
    const programs = await reachablePrograms(user, binaries, home);
    // By major version: another one could not read the files.
    const folder = join(home, `cluster-${binaries.major}`);
    if (!(await exists(folder))) await initialise(user, programs, home, folder, settings);
    const serverSettings = {
      user,
      program: join(programs, 'postgres'),
      dataFolder: join(folder, 'data'),
      logFile: join(folder, 'server.log'),
      password: await readFile(join(folder, 'password'), 'utf8'),
      fsync: settings.fsync,
      removeWhenOrphaned: settings.ephemeral ? home : undefined,
    };
    let server = await launch(serverSettings);
    return {
      url: server.url,
      kill: () => server.kill(),
      restart: async () => {
        server = await launch({ ...serverSettings, port: server.port });
      },
      stop: async () => {
        await server.stop();
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Room under a temporary folder that the user gets to: TMPDIR may be private to us. */
async function temporaryRoot(user: RunAs): Promise<string> {
  return (await canReach(user, tmpdir())) ? tmpdir() : '/tmp';
}

async function temporaryHome(user: RunAs): Promise<string> {
  return await privateFolder(user, await mkdtemp(join(await temporaryRoot(user), 'billpay-postgres-')));
}

/** Under the cache folder, or, where that is closed to the user who runs the server, under a name made from it. */
async function lastingHome(user: RunAs, { cacheDir, progress }: ClusterSettings): Promise<string> {
  const wanted = join(resolve(cacheDir), 'postgres');
  try {
    await mkdir(cacheDir, { recursive: true });
    await privateFolder(user, wanted);
    if (await canReach(user, wanted)) return wanted;
  } catch {
    // Not ours, or not to be changed: the other place.
  }
  const name = createHash('sha256')
    .update(`${user.uid ?? process.getuid?.()}\n${wanted}`)
    .digest('hex')
    .slice(0, 12);
  const home = await privateFolder(user, join(await temporaryRoot(user), `billpay-postgres-${name}`));
  progress(`The database is kept in ${home}: the user it runs as cannot use ${wanted}.`);
  return home;
}

/** The programs of a package may lie where that user cannot read, such as below /root: they work from a copy as well. */
async function reachablePrograms(user: RunAs, { kind, directory, root }: Binaries, home: string): Promise<string> {
  if (kind === 'installed' || (await canReach(user, join(directory, 'postgres')))) return directory;
  const copy = join(home, 'programs');
  if (!(await exists(copy))) {
    const fresh = await mkdtemp(join(home, 'new-programs-'));
    await cp(root, fresh, { recursive: true, verbatimSymlinks: true });
    if (user.uid !== undefined && user.gid !== undefined) await chown(fresh, user.uid, user.gid);
    await put(fresh, copy);
  }
  return join(copy, relative(root, directory));
}

/** Made aside and renamed when whole: a start that is killed half-way leaves no half cluster to be mistaken for one. */
async function initialise(
  user: RunAs,
  programs: string,
  home: string,
  folder: string,
  settings: ClusterSettings,
): Promise<void> {
  settings.progress('Preparing a PostgreSQL data folder.');
  const fresh = await privateFolder(user, await mkdtemp(join(home, 'new-cluster-')));
  const passwordFile = join(fresh, 'password');
  await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) await chown(passwordFile, user.uid, user.gid);
  await run(
    join(programs, 'initdb'),
    [
      ...['-D', join(fresh, 'data'), '--username', 'billpay', '--encoding', 'UTF8', '--locale', 'C'],
      // The port is open to every user of this machine: a password, also on loopback.
      ...['--auth', 'scram-sha-256', '--pwfile', passwordFile],
      ...(settings.fsync ? [] : ['--no-sync']),
    ],
    { ...user, cwd: '/', env: PLAIN_ENVIRONMENT },
  );
  await put(fresh, folder);
}

/** Two first starts at once: the one that comes second uses what the first has put there. */
async function put(fresh: string, place: string): Promise<void> {
  try {
    await rename(fresh, place);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!(await exists(place))) throw error;
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
