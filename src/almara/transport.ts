import type { HttpAnswer } from './answers';

/**
 * How requests leave us and answers come. Only what is beneath this knows an HTTP library, sockets and real time; the simulation
 * puts a network of its own there, and what is above is the client that is shipped.
 */
export interface Transport {
  /** Everything but the payment. @throws the signal's reason when the caller gives up, and nothing else */
  ask(call: Call, signal?: AbortSignal): Promise<Reply>;
  /** The payment: one request on a connection of its own, never repeated. Throws as `ask` does. */
  postOnce(post: PaymentPost, signal?: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface PaymentPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** To be asked at most once, with the connection standing, right before the first byte; on `false` nothing may be sent. */
  readonly mayStillSend: () => boolean;
}

export type Reply =
  /** A whole answer. */
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  /** No connection, or one that broke. `code` says how, such as ECONNREFUSED. */
  | { readonly kind: 'broken'; readonly code: string }
  | { readonly kind: 'timeout'; readonly afterMs: number };
