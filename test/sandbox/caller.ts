import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BILL_ROUTE_ID, SERVICES, startSandbox, type Sandbox, type SandboxSettings } from '../../src/sandbox';

/** A plain caller of the sandbox, on purpose without any code of the adapter. */

export type Json = Record<string, unknown>;

export interface Answer {
  /** The HTTP status, or the error code of a connection that broke. */
  readonly status: number | string;
  readonly text: string;
  readonly headers: Headers;
}

export const json = ({ text }: Answer): Json => JSON.parse(text) as Json;

export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text(), headers: response.headers };
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    return { status: cause?.code ?? 'unknown', text: '', headers: new Headers() };
  }
}

const CREDENTIALS = { clientId: 'a-client', clientSecret: 'a-secret' } as const;

export class Caller {
  private constructor(
    readonly sandbox: Sandbox,
    readonly clock: { now: number },
    readonly receiver: Receiver,
    private token: string,
  ) {}

  /** With a clock that stands still until the test turns it; callbacks run on real time, soon. */
  static async start(settings: Partial<SandboxSettings> = {}): Promise<Caller> {
    const clock = { now: Date.UTC(2026, 3, 10, 8, 58, 32, 921) };
    const quick = { pendingMs: 10, callbackDelayMs: 5, completedLaterMs: 20, notFoundMs: 30, slowMs: 50 };
    const sandbox = await startSandbox({ ...CREDENTIALS, ...quick, now: () => clock.now, ...settings });
    const caller = new Caller(sandbox, clock, await Receiver.start(), '');
    await caller.signIn();
    return caller;
  }

  async signIn(): Promise<void> {
    this.token = String(json(await this.askToken())['access_token']);
  }

  askToken(change: Record<string, string> = {}): Promise<Answer> {
    const form = {
      client_id: CREDENTIALS.clientId,
      client_secret: CREDENTIALS.clientSecret,
      grant_type: 'client_credentials',
      scope: 'PyPay_api',
    };
    return call(`${this.sandbox.url}/connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, ...change }),
    });
  }

  get(path: string): Promise<Answer> {
    return call(`${this.sandbox.url}${path}`, { headers: { authorization: `Bearer ${this.token}` } });
  }

  post(path: string, body: unknown): Promise<Answer> {
    return call(`${this.sandbox.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  order(id: string, accountNumber: string, change: Json = {}): Json {
    return {
      routeId: BILL_ROUTE_ID,
      ServiceId: SERVICES[0]?.serviceId,
      accountNumber,
      transactionType: 2,
      transactionDesc: 'March bill',
      originatorConversationId: id,
      msisdn: '254710000000',
      narration: 'Testing',
      amount: 15,
      customerNames: 'IRINA MUTHONI',
      countryCode: 'KE',
      currencyCode: 'KES',
      saveBillerNumber: true,
      callBackUrl: `${this.receiver.url}/callbacks/${id}`,
      ...change,
    };
  }

  pay(id: string, accountNumber: string, change: Json = {}): Promise<Answer> {
    return this.post('/v1/bill-payments', this.order(id, accountNumber, change));
  }

  look(id: string): Promise<Answer> {
    return this.get(`/v1/bill-payments?OriginatorConversationId=${id}`);
  }

  validate(accountNumber: string, transactionType: 1 | 3 = 3): Promise<Answer> {
    return this.post('/v1/bill-payments', { ServiceId: SERVICES[0]?.serviceId, accountNumber, transactionType });
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.receiver.close();
  }
}

export interface Received {
  readonly path: string;
  readonly contentType: string;
  readonly body: Json;
}

/** Stands for our callback endpoint. */
export class Receiver {
  readonly received: Received[] = [];
  /** What it answers with. */
  status = 200;

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new Receiver(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, server);
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        receiver.received.push({
          path: request.url ?? '',
          contentType: request.headers['content-type'] ?? '',
          body: JSON.parse(text) as Json,
        });
        response.writeHead(receiver.status).end('{}');
      });
    });
    return receiver;
  }

  for(id: string): readonly Received[] {
    return this.received.filter(({ path }) => path.endsWith(`/${id}`));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
