import net from 'node:net';
import tls from 'node:tls';
import { Client, type buildConnector } from 'undici';
import { codeOf, noAnswer, readAnswer, startDeadline } from './http';
import type { Timeouts } from './settings';
import type { Reply, Transport } from './transport';

/**
 * The payment POST: one request on one connection of its own, never repeated. On a reused connection a stale one and a lost
 * answer look the same; on a fresh one we know that nothing was sent until the connection is handed over.
 */
export function createPostOnce({ connectMs, payMs }: Timeouts, now: () => number): Transport['postOnce'] {
  return async ({ url, headers, body, mayStillSend }, signal) => {
    const deadline = startDeadline(payMs, signal);
    const gate = createGate(connectMs, () => !deadline.signal.aborted && mayStillSend());
    const { origin, pathname, search } = new URL(url);
    const client = new Client(origin, {
      connect: gate.connect,
      pipelining: 1,
      allowH2: false,
      headersTimeout: payMs,
      bodyTimeout: payMs,
    });
    try {
      const response = await client.request({
        path: pathname + search,
        method: 'POST',
        headers: { ...headers },
        body,
        // `connection: close`, and not to be repeated by the client library under any circumstances.
        reset: true,
        idempotent: false,
        signal: deadline.signal,
      });
      return { kind: 'answer', answer: await readAnswer(response, now) };
    } catch (error) {
      signal?.throwIfAborted();
      return gate.refusal() ?? noAnswer(error, deadline, payMs);
    } finally {
      deadline.stop();
      gate.shut();
      await client.destroy().catch(() => undefined);
    }
  };
}

interface Gate {
  readonly connect: buildConnector.connector;
  /** Why the connection was not handed over, if the gate itself refused. */
  refusal(): Reply | undefined;
  /** Gives up a connection that is still being made. */
  shut(): void;
}

/**
 * Makes the connection and asks the last question. The client library writes the request in the same turn in which it gets
 * the socket, so nothing can come between the question and the first byte. It opens once: should the library ever want
 * to connect again, for a second try, it gets an error.
 */
function createGate(connectMs: number, mayStillSend: () => boolean): Gate {
  let used = false;
  let opened = false;
  let refusal: Reply | undefined;
  let socket: net.Socket | undefined;

  const connect: buildConnector.connector = (target, callback) => {
    if (used) return callback(new Error('the payment POST connects only once'), null);
    used = true;
    const connecting = openSocket(target);
    const standing = connecting.socket;
    socket = standing;

    const refuse = (reply: Reply) => {
      if (opened || refusal !== undefined) return;
      refusal = reply;
      clearTimeout(timer);
      standing.destroy();
      callback(new Error('no connection'), null);
    };
    const broken = (code: string) => refuse({ kind: 'broken', code });
    const fail = (error: Error) => broken(codeOf(error));
    const timer = setTimeout(() => refuse({ kind: 'timeout', afterMs: connectMs }), connectMs);
    standing.on('error', fail);
    standing.once('close', () => broken('closed'));
    standing.once(connecting.standsAt, () => {
      if (refusal !== undefined) return;
      if (!mayStillSend()) return broken('too late');
      opened = true;
      clearTimeout(timer);
      standing.removeListener('error', fail);
      callback(null, standing);
    });
  };

  return {
    connect,
    refusal: () => refusal,
    shut: () => {
      // An error nobody hears would end the process.
      socket?.on('error', () => undefined);
      socket?.destroy();
    },
  };
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
