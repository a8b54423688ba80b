import net from 'node:net';
import tls from 'node:tls';
import { Client, type buildConnector } from 'undici';
import type { HttpAnswer } from './answers';
import { codeOf, isTimeout, readAnswer, startDeadline } from './http';

/**
 * The payment POST: one request on one connection of its own, never repeated. On a reused connection a stale one and a lost
 * answer look the same; on a fresh one we know that nothing was sent until the connection is handed over.
 */

export interface PaymentPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connectMs: number;
  readonly payMs: number;
  /** Asked once, right before the first byte, with TCP and TLS standing: false means that nothing is sent. */
  readonly mayStillSend: () => boolean;
  readonly signal: AbortSignal | undefined;
  readonly now: () => number;
}

export type PostResult =
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  /** Not one byte of the request left. */
  | { readonly kind: 'not-sent'; readonly because: string }
  | { readonly kind: 'no-answer'; readonly because: string };

const STOPPING = 'the worker is stopping';

/** Sends it once. Never throws. */
export async function postOnce(post: PaymentPost): Promise<PostResult> {
  if (post.signal?.aborted) return { kind: 'not-sent', because: STOPPING };
  const deadline = startDeadline(post.payMs, post.signal);
  const gate = createGate(post, deadline.signal);
  const { origin, pathname, search } = new URL(post.url);
  const client = new Client(origin, {
    connect: gate.connect,
    pipelining: 1,
    allowH2: false,
    headersTimeout: post.payMs,
    bodyTimeout: post.payMs,
  });
  try {
    const response = await client.request({
      path: pathname + search,
      method: 'POST',
      headers: { ...post.headers },
      body: post.body,
      // `connection: close`, and not to be repeated by the client library under any circumstances.
      reset: true,
      idempotent: false,
      signal: deadline.signal,
    });
    return { kind: 'answer', answer: await readAnswer(response, post.now) };
  } catch (error) {
    const because =
      deadline.passed() || isTimeout(error)
        ? `no answer within ${post.payMs / 1000} s`
        : post.signal?.aborted
          ? STOPPING
          : `the connection broke (${codeOf(error)})`;
    return gate.opened() ? { kind: 'no-answer', because } : { kind: 'not-sent', because: gate.refusal() ?? because };
  } finally {
    deadline.stop();
    gate.shut();
    await client.destroy().catch(() => undefined);
  }
}

interface Gate {
  readonly connect: buildConnector.connector;
  /** Whether the connection was handed over: from then on bytes may have left. */
  opened(): boolean;
  /** Why it was not, if the gate itself refused. */
  refusal(): string | undefined;
  /** Gives up a connection that is still being made. */
  shut(): void;
}

/**
 * Makes the connection and asks the last question. The client library writes the request in the same turn in which it gets
 * the socket, so nothing can come between the question and the first byte. It opens once: should the library ever want
 * to connect again, for a second try, it gets an error.
 */
function createGate({ connectMs, mayStillSend }: PaymentPost, signal: AbortSignal): Gate {
  let used = false;
  let opened = false;
  let refusal: string | undefined;
  let socket: net.Socket | undefined;

  const connect: buildConnector.connector = (target, callback) => {
    if (used) return callback(new Error('the payment POST connects only once'), null);
    used = true;
    const connecting = openSocket(target);
    const standing = connecting.socket;
    socket = standing;

    const refuse = (because: string) => {
      if (opened || refusal !== undefined) return;
      refusal = because;
      clearTimeout(timer);
      standing.destroy();
      callback(new Error(because), null);
    };
    const fail = (error: Error) => refuse(`no connection (${codeOf(error)})`);
    const timer = setTimeout(() => refuse(`no connection within ${connectMs / 1000} s`), connectMs);
    standing.on('error', fail);
    standing.once('close', () => refuse('no connection (closed)'));
    standing.once(connecting.standsAt, () => {
      if (signal.aborted) return refuse('no time left');
      if (!isAllowed(mayStillSend)) return refuse('too late after the claim');
      if (refusal !== undefined) return;
      opened = true;
      clearTimeout(timer);
      standing.removeListener('error', fail);
      callback(null, standing);
    });
  };

  return {
    connect,
    opened: () => opened,
    refusal: () => refusal,
    shut: () => {
      // An error nobody hears would end the process.
      socket?.on('error', () => undefined);
      socket?.destroy();
    },
  };
}

function isAllowed(mayStillSend: () => boolean): boolean {
  try {
    // Nothing but a plain yes: a promise by mistake would be one too.
    return mayStillSend() === true;
  } catch {
    return false;
  }
}

function openSocket({ protocol, hostname, port }: buildConnector.Options): { socket: net.Socket; standsAt: string } {
  const secure = protocol === 'https:';
  const address = { host: hostname, port: Number(port) || (secure ? 443 : 80) };
  const socket = secure
    ? tls.connect({
        ...address,
        ...(net.isIP(hostname) === 0 && { servername: hostname }),
        ALPNProtocols: ['http/1.1'],
        // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
        rejectUnauthorized: true,
      })
    : net.connect(address);
  socket.setNoDelay(true);
  return { socket, standsAt: secure ? 'secureConnect' : 'connect' };
}
