/** An HTTP answer as text, before anyone reads it. Pure: the readings need no HTTP client. */
export interface HttpAnswer {
  readonly status: number;
  /** At most `BODY_LIMIT` bytes of it. */
  readonly text: string;
  /** The body was longer than `BODY_LIMIT`: what there is must not be read as the whole. */
  readonly truncated: boolean;
  readonly retryAfterMs?: number;
}

/** Documented answers are under 2 kB. */
export const BODY_LIMIT = 64 * 1024;

export type JsonAnswer =
  | { readonly kind: 'json'; readonly value: unknown }
  /** Why there is nothing to read, in words for people that repeat nothing of the body. */
  | { readonly kind: 'unreadable'; readonly because: string };

export type JsonObject = Readonly<Record<string, unknown>>;

export function readJson(answer: HttpAnswer): JsonAnswer {
  if (answer.truncated) return { kind: 'unreadable', because: 'longer than 64 kB' };
  const text = answer.text.trim();
  if (text === '') return { kind: 'unreadable', because: 'empty' };
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'unreadable', because: text.startsWith('<') ? 'a web page' : 'not JSON' };
  }
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own keys only: `__proto__` in a body must not lend anything. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** An object with anything said in it: `{}` and `{"a": null}` say nothing. */
export function saysNothing(value: unknown): boolean {
  return value === null || (isObject(value) && Object.values(value).every((part) => part === null));
}
