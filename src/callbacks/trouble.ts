/**
 * An error as a log may hold it: what kind, never its message. PostgreSQL's messages quote the row that it refused, and that row
 * is a callback: names, phones, account numbers.
 */
export function describeTrouble(error: unknown): { readonly error: string; readonly code?: string } {
  const name = error instanceof Error ? error.name : typeof error;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? { error: name, code: String(code) } : { error: name };
}
