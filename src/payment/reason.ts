/**
 * What an error says, for people. A connection refused on every address of a name is an AggregateError without a message: then what it
 * holds says it.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return error instanceof AggregateError ? error.errors.map(reasonOf).join('; ') : error.name;
}
