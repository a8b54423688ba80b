import { Actor } from './actor';
import type { Agenda } from './agenda';

/**
 * The two things that activities take from the process and not from their dependencies: `setInterval`, to beat with, and
 * `AbortSignal.timeout`. While a simulation runs both are of virtual time, so that nothing waits and nothing is left behind.
 */
export async function withVirtualTimers<T>(agenda: () => Agenda, work: () => Promise<T>): Promise<T> {
  const real = { setInterval: globalThis.setInterval, timeout: AbortSignal.timeout.bind(AbortSignal) };
  const fakeInterval = ((...args: Parameters<typeof setInterval>) => {
    const actor = Actor.current;
    if (actor === undefined) return real.setInterval(...args);
    actor.beats = true;
    return undefined;
  }) as typeof setInterval;
  const fakeTimeout = (ms: number): AbortSignal => {
    const actor = Actor.current;
    if (actor === undefined) return real.timeout(ms);
    const controller = new AbortController();
    agenda().after(ms, () =>
      actor.disturb(() => controller.abort(new DOMException('The operation timed out.', 'TimeoutError'))),
    );
    return controller.signal;
  };
  globalThis.setInterval = fakeInterval;
  AbortSignal.timeout = fakeTimeout;
  try {
    return await work();
  } finally {
    globalThis.setInterval = real.setInterval;
    AbortSignal.timeout = real.timeout;
  }
}
