import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * How the bench talks with the processes that are its own: JSON lines over a socket in a folder that only we may enter. A message
 * between two of them goes through the bench.
 */
export type Message =
  /** The first one: it works from now on. */
  | { readonly kind: 'ready'; readonly url?: string }
  /** To the worker: pay this without an engine, and say when it is done. */
  | { readonly kind: 'pay'; readonly paymentId: string }
  | { readonly kind: 'paid'; readonly paymentId: string; readonly problem?: string }
  /** To the endpoint: send this run its signal, as for a callback. */
  | { readonly kind: 'signal'; readonly workflowId: string }
  /** To the worker: the callback of a payment without an engine has come. */
  | { readonly kind: 'callback'; readonly paymentId: string }
  /** To the sandbox: these payments are completed now; say so by their callbacks. */
  | { readonly kind: 'complete'; readonly paymentIds: readonly string[] };

export type Role = 'bench' | 'worker' | 'endpoint' | 'sandbox';

interface Envelope {
  readonly from: Role;
  readonly to: Role;
  readonly message: Message;
}

export interface Hub {
  send(to: Role, message: Message): void;
  /** Called for every message to the bench. */
  onMessage(listener: (message: Message, from: Role) => void): void;
  close(): Promise<void>;
}

export async function openHub(socketFile: string): Promise<Hub> {
  const sockets = new Map<Role, Socket>();
  const listeners: ((message: Message, from: Role) => void)[] = [];
  const deliver = (envelope: Envelope): void => {
    if (envelope.to === 'bench') listeners.forEach((listener) => listener(envelope.message, envelope.from));
    else sockets.get(envelope.to)?.write(lineOf(envelope));
  };
  const server = createServer((socket) => {
    onEnvelope(socket, (envelope) => {
      sockets.set(envelope.from, socket);
      deliver(envelope);
    });
  });
  server.listen(socketFile);
  await once(server, 'listening');
  return {
    send: (to, message) => deliver({ from: 'bench', to, message }),
    onMessage: (listener) => void listeners.push(listener),
    async close() {
      server.close();
      for (const socket of sockets.values()) socket.destroy();
      await once(server, 'close');
    },
  };
}

export interface Line {
  send(to: Role, message: Message): void;
}

/** For a process of the bench: it ends when the bench is gone. */
export async function joinHub(socketFile: string, role: Role, onMessage: (message: Message) => void): Promise<Line> {
  const socket = connect(socketFile);
  onEnvelope(socket, ({ message }) => onMessage(message));
  await once(socket, 'connect');
  socket.once('close', () => process.exit(0));
  return { send: (to, message) => void socket.write(lineOf({ from: role, to, message })) };
}

const lineOf = (envelope: Envelope): string => `${JSON.stringify(envelope)}\n`;

function onEnvelope(socket: Socket, listener: (envelope: Envelope) => void): void {
  socket.on('error', () => undefined); // the other side has ended
  createInterface(socket).on('line', (line) => listener(JSON.parse(line) as Envelope));
}
