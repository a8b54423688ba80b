/**
 * An error as a log may hold it: what kind, never its message. PostgreSQL's messages quote the row that it refused, and that row
 * is a callback: names, phones, account numbers.
 */
export function describeTrouble(error: unknown): { readonly error: string; readonly code?: string } {
  const name = error instanceof Error ? error.name : typeof error;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? { error: name, code: String(code) } : { error: name };
}

/** Thrown by `within`. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

/** The work goes on, but nobody waits for it any longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TooSlow(`no answer within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
