/** Thrown by `within`. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

/** The work goes on, but nobody waits for it any longer. @throws what the work throws, or `TooSlow` */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlow(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
