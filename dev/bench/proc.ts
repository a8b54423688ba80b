import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What processes use, from Linux's /proc. A process stands for its whole tree: PostgreSQL is one server and many children. */

/** The kernel counts CPU time for its users in hundredths of a second, on every machine that Node runs on. */
const MS_PER_TICK = 10;

interface Stat {
  readonly parent: number;
  /** Its own, and that of its children that have ended. */
  readonly cpuMs: number;
}

const numbersIn = (folder: string): number[] => namesIn(folder).filter(isNumber).map(Number);
const isNumber = (name: string): boolean => /^\d+$/.test(name);

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it has ended, or it is somebody else's
  }
}

/** CPU that each tree has used since its processes began, in ms. */
export function cpuOfTrees(roots: readonly (readonly number[])[]): number[] {
  const stats = readStats();
  return roots.map((pids) =>
    pids.flatMap((pid) => treeOf(pid, stats)).reduce((sum, pid) => sum + (stats.get(pid)?.cpuMs ?? 0), 0),
  );
}

/**
 * Memory that each tree has now, in bytes: what its processes have written, which nothing but their end gives back. Pages that hold a
 * program's file are left out, because the system drops and reads them as it likes; shared memory counts in parts.
 */
export function memoryOfTrees(roots: readonly (readonly number[])[]): number[] {
  const stats = readStats();
  return roots.map((pids) => pids.flatMap((pid) => treeOf(pid, stats)).reduce((sum, pid) => sum + writtenBy(pid), 0));
}

function readStats(): ReadonlyMap<number, Stat> {
  return new Map(numbersIn('/proc').flatMap((pid) => statOf(pid) ?? []));
}

function statOf(pid: number): [[number, Stat]] | undefined {
  const line = read(`/proc/${pid}/stat`);
  if (line === undefined) return undefined;
  // The name before it may hold anything, spaces and brackets too.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  const [utime, stime, cutime, cstime] = [field(14), field(15), field(16), field(17)];
  return [[pid, { parent: field(4), cpuMs: (utime + stime + cutime + cstime) * MS_PER_TICK }]];
}

function treeOf(root: number, stats: ReadonlyMap<number, Stat>): number[] {
  const children = [...stats].filter(([, { parent }]) => parent === root).map(([pid]) => pid);
  return [root, ...children.flatMap((pid) => treeOf(pid, stats))];
}

function writtenBy(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`) ?? '';
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0);
  return (kilobytes('Pss_Anon') + kilobytes('Pss_Shmem')) * 1024;
}

const LISTENS = '0A';

/** The process of this machine that listens there; undefined when there is none, or none that we may look at. */
export function listenerOn(port: number): number | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = ['tcp', 'tcp6']
    .flatMap((table) => (read(`/proc/net/${table}`) ?? '').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) === true && fields[3] === LISTENS)
    .map((fields) => `socket:[${fields[9]}]`);
  const holds = (pid: number): boolean =>
    namesIn(`/proc/${pid}/fd`).some((fd) => sockets.includes(linkOf(`/proc/${pid}/fd/${fd}`)));
  const holders = sockets.length === 0 ? [] : numbersIn('/proc').filter(holds);
  // A child that has just been made still holds what its parent has opened.
  return holders.find((pid) => !holders.includes(statOf(pid)?.[0][1].parent ?? 0));
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
