import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuarded, type GuardedChild } from '../child';
import type { HeapLine } from './collect-garbage';

/** Node processes of the bench: each ends with us, and one that ends by itself ends the bench. */

export interface NodeProcess {
  readonly name: string;
  /** Of its whole tree. */
  readonly pid: number;
  /** Rejects when it ends before `stop`. Never resolves. */
  readonly failed: Promise<never>;
  /** Bytes that its JavaScript still holds once its garbage is collected, all threads together. */
  heap(): Promise<number>;
  stop(): Promise<void>;
}

export interface NodeProcessOptions {
  readonly name: string;
  /** Below build/. */
  readonly script: string;
  /** Given as its only argument, in JSON. */
  readonly settings?: object;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** Whether its heap will be asked for. */
  readonly tellsHeap: boolean;
}

const BUILT = path.join(__dirname, '..', '..');

export async function startNode({
  name,
  script,
  settings,
  env,
  folder,
  tellsHeap,
}: NodeProcessOptions): Promise<NodeProcess> {
  const logFile = path.join(folder, `${name}.log`);
  const heapFile = path.join(folder, `${name}.heap`);
  const args = [
    ...(tellsHeap ? ['--require', path.join(__dirname, 'collect-garbage.js')] : []),
    path.join(BUILT, script),
    ...(settings === undefined ? [] : [JSON.stringify(settings)]),
  ];
  const child: GuardedChild = startGuarded(process.execPath, args, {
    logFile,
    env: { ...env, BENCH_HEAP_FILE: heapFile },
  });
  let isWanted = true;
  const failed = child.exited.then(({ code }) => {
    if (isWanted) throw new Error(`${name} ended (code ${code}). Its last words:\n${lastWords(logFile)}`);
    return new Promise<never>(() => undefined);
  });
  failed.catch(() => undefined); // whoever waits for it hears of it
  return {
    name,
    pid: await child.pid,
    failed,
    async heap() {
      rmSync(heapFile, { force: true });
      child.signal('SIGHUP');
      await sleep(COLLECTED_WITHIN_MS);
      const lines = existsSync(heapFile) ? readFileSync(heapFile, 'utf8').trim().split('\n') : [];
      return lines.map((line) => (JSON.parse(line) as HeapLine).heapUsed).reduce((sum, bytes) => sum + bytes, 0);
    },
    async stop() {
      isWanted = false;
      await child.stop();
    },
  };
}

/** Each thread of a large heap takes a few hundred milliseconds. */
const COLLECTED_WITHIN_MS = 3_000;

function lastWords(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(-8).join('\n').trim() : '';
}

const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;

/** Waits until its health listener says that it takes work. */
export async function untilReady(running: NodeProcess, healthPort: number): Promise<void> {
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${healthPort}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await Promise.race([answers(), running.failed]))) {
    if (Date.now() > deadline) throw new Error(`${running.name} was not ready within ${READY_WITHIN_MS / 1000} s`);
    await sleep(ASK_EVERY_MS);
  }
}
