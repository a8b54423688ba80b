import net from 'node:net';
import { EventEmitter, once } from 'node:events';
import { createLog } from '../../src/log';
import { createAlmara, type AlmaraSettings } from '../../src/almara';
import { ProviderTrouble, type PaymentOrder, type Provider, type ProviderSession } from '../../src/payment/provider';

/** A provider made of sockets, so that it can break the protocol at any byte. */

export interface RawRequest {
  readonly head: string;
  readonly body: string;
  readonly socket: net.Socket;
  /** Which connection it came on, from 1. */
  readonly connection: number;
}

export interface RawServer {
  readonly url: string;
  readonly port: number;
  connections: number;
  /** Every byte that came, over all connections. */
  received: string;
  readonly requests: RawRequest[];
  /** Resolves when that many connections have come and all are closed: then every byte they brought is in `received`. */
  allClosed(connections: number): Promise<void>;
  close(): Promise<void>;
}

/** Reads whole requests and lets `answer` do what it likes with the socket. */
export async function startRaw(answer: (request: RawRequest) => void): Promise<RawServer> {
  const sockets = new Set<net.Socket>();
  const changes = new EventEmitter();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    raw.connections += 1;
    const connection = raw.connections;
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      changes.emit('closed');
    });
    socket.on('data', (data) => {
      raw.received += data.toString('latin1');
      pending += data.toString('latin1');
      for (;;) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = pending.slice(0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (pending.length < end + 4 + length) return;
        const request = { head, body: pending.slice(end + 4, end + 4 + length), socket, connection };
        pending = pending.slice(end + 4 + length);
        raw.requests.push(request);
        answer(request);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const raw: RawServer = {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: 0,
    received: '',
    requests: [],
    async allClosed(connections) {
      while (raw.connections < connections || sockets.size > 0) await once(changes, 'closed');
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return raw;
}

/** One whole HTTP answer. */
export function http(status: number, body = '', headers: Readonly<Record<string, string>> = {}): string {
  const all = { 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/json', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n${body}`;
}

export const TOKEN_ANSWER = http(200, '{"access_token":"secret-token-1","expires_in":3600,"token_type":"Bearer"}');

export const order: PaymentOrder = {
  paymentId: 'payment-0001',
  serviceId: 'bc97d2b1-4828-f111-bc5a-0e7d952d79b7',
  accountNumber: '111832',
  amount: 220,
  currency: 'KES',
  country: 'KE',
  payer: { name: 'Irina Muthoni', msisdn: '254710000000' },
  description: 'Electricity',
  saveBillerNumber: false,
  callbackUrl: 'https://pay.example.com/callbacks/almara/payment-0001/k1.token',
};

export function settingsFor(apiUrl: string, identityUrl = apiUrl): AlmaraSettings {
  return {
    apiUrl,
    identityUrl,
    clientId: 'client-1',
    clientSecret: 'secret-1&=',
    scope: 'PyPay_api',
    routeId: '068d89af-be67-f011-bb46-0e7d952d79b7',
    serviceField: 'ServiceId',
    timeouts: { connectMs: 500, readMs: 1_500, payMs: 2_000 },
  };
}

export interface Bench {
  readonly almara: Provider;
  readonly server: RawServer;
  /** The session a look proved, as `submitPayment` wants it. */
  session(): Promise<ProviderSession>;
}

/** An adapter and its provider for the time of `use`. Token requests and looks are answered; the rest is `answer`'s. */
export async function withBench(
  answer: (request: RawRequest) => void,
  use: (bench: Bench) => Promise<void>,
  options: {
    readonly now?: () => number;
    readonly settings?: Partial<AlmaraSettings>;
    readonly log?: ReturnType<typeof createLog>;
  } = {},
): Promise<void> {
  const server = await startRaw((request) => {
    if (request.head.startsWith('POST /connect/token')) request.socket.write(TOKEN_ANSWER);
    else answer(request);
  });
  const almara = createAlmara(
    { ...settingsFor(server.url), ...options.settings },
    { log: options.log ?? createLog('test', 'silent'), ...(options.now && { now: options.now }) },
  );
  const session = async () => {
    const look = await startRaw(({ head, socket }) => socket.write(head.startsWith('POST') ? TOKEN_ANSWER : http(404)));
    const other = createAlmara(settingsFor(look.url), { log: createLog('test', 'silent') });
    try {
      return (await other.findPayment(order.paymentId)).session;
    } finally {
      await other.close();
      await look.close();
    }
  };
  try {
    await use({ almara, server, session });
  } finally {
    await almara.close();
    await server.close();
  }
}

/** The trouble a call ends in, and nothing else. */
export async function troubleOf(promise: Promise<unknown>): Promise<ProviderTrouble> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderTrouble)) throw new Error(`no trouble but ${String(error)}`);
  return error;
}
