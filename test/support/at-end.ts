export type AtEnd = () => Promise<void>;

/** Where a test file's closers are kept until the environment runs them. */
export interface ClosingGlobal {
  closeAtEndOfFile?: AtEnd[];
}

/** Runs when the test file is done, after its last `afterAll`; what was added last runs first. */
export function atEndOfFile(close: AtEnd): void {
  ((globalThis as ClosingGlobal).closeAtEndOfFile ??= []).push(close);
}
