/** How to stop what was started: the last first. */
export type Closing = (() => Promise<unknown>)[];

/** Starts the parts of a system, which add to `closing`. When one fails, those before it are stopped, as `stop` stops all of them. */
export async function startAll<Parts extends object>(
  start: (closing: Closing) => Promise<Parts>,
  unclean: (error: unknown) => void,
): Promise<Parts & { stop(): Promise<void> }> {
  const closing: Closing = [];
  const stop = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step().catch(unclean);
  };
  try {
    return { ...(await start(closing)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
