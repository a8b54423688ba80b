import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

/**
 * Loaded before a shipped program (`node --require`), in each of its threads: SIGHUP makes them collect their garbage and write down
 * what they still hold. V8 lets garbage lie for as long as there is room, and a reading would tell of work done and not of what waits.
 */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapFile = process.env['BENCH_HEAP_FILE'] ?? '';

export interface HeapLine {
  readonly threadId: number;
  readonly heapUsed: number;
}

function collectGarbage(): void {
  collect();
  const line: HeapLine = { threadId, heapUsed: process.memoryUsage().heapUsed };
  appendFileSync(heapFile, `${JSON.stringify(line)}\n`);
}

const threads = new BroadcastChannel('collect-garbage');
threads.onmessage = collectGarbage;
(threads as unknown as NodeJS.RefCounted).unref();
if (isMainThread)
  process.on('SIGHUP', () => {
    threads.postMessage('now');
    collectGarbage();
  });
