import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createAlmara } from '../../src/almara';
import type { Provider } from '../../src/payment/provider';
import { createLog } from '../../src/log';
import { BILL_ROUTE_ID, type BehaviourName } from '../../src/sandbox';
import { ClaimUncertain, openStore, type Store } from '../../src/store';
import { atEndOfFile } from '../support/at-end';
import {
  broken,
  createFaultyWorker,
  first,
  FUNDS_WHEN,
  payWith,
  truthOf,
  type FaultyWorker,
  type Faults,
} from '../support/faults';
import { CREDENTIALS, needsAttention, outcomeOf, startFlow, type Flow } from '../support/flow';
import { startTcpProxy, type Cut } from '../support/tcp-proxy';

/**
 * A fault at each line of `submitPayment`, in flows that are otherwise whole and real. Whatever breaks, the provider sees at most
 * one payment request (G1), and nothing is declined that may have been sent (G2).
 */
let flow: Flow;
let worker: FaultyWorker;

beforeAll(async () => {
  worker = createFaultyWorker();
  flow = await startFlow(worker.worker);
});

const log = createLog('test', 'silent');

/** A provider of its own address: the real adapter, with the sandbox's credentials. */
function almaraAt(apiUrl: string): Provider {
  const settings = { ...CREDENTIALS, scope: 'PyPay_api', routeId: BILL_ROUTE_ID, serviceField: 'ServiceId' } as const;
  const almara = createAlmara({ ...settings, apiUrl, identityUrl: apiUrl }, { log });
  atEndOfFile(() => almara.close());
  return almara;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusing(): Promise<Provider> {
  const server = createServer();
  const url = await listen(server);
  server.close();
  await once(server, 'close');
  return almaraAt(url);
}

async function resetting(): Promise<Provider> {
  const server = createServer((socket) => socket.on('error', () => undefined).resetAndDestroy());
  const url = await listen(server);
  atEndOfFile(async () => void server.close());
  return almaraAt(url);
}

/** The payment POST goes through a network that cuts it there; looks do not. */
const postCut =
  (when: Cut) =>
  async (paymentId: string): Promise<Faults> => {
    const proxy = await startTcpProxy(flow.sandbox.url);
    atEndOfFile(() => proxy.close());
    const through = almaraAt(proxy.url);
    const cut = proxy.cut(when, `"originatorConversationId":"${paymentId}"`);
    return {
      send: async (_attempt, _real, args) => {
        const submission = await through.submitPayment(...args);
        await cut;
        return submission;
      },
    };
  };

async function storeThrough(): Promise<{ store: Store; proxy: Awaited<ReturnType<typeof startTcpProxy>> }> {
  const proxy = await startTcpProxy(flow.databaseUrl);
  const store = openStore({ databaseUrl: proxy.url, log });
  atEndOfFile(async () => {
    await store.close();
    await proxy.close();
  });
  return { store, proxy };
}

const claimCut = (when: Cut) => async (): Promise<Faults> => {
  const { store, proxy } = await storeThrough();
  const cut = proxy.cut(when, 'SET claimed_at = now()');
  return {
    claim: async (_attempt, _real, args) => {
      const claimed = await store.payments.claim(...args);
      await cut;
      return claimed;
    },
  };
};

async function storeDown(): Promise<Faults> {
  const { store, proxy } = await storeThrough();
  let up = (): void => undefined;
  return {
    claim: async (attempt, _real, args) => {
      if (attempt === 1) up = proxy.cutAll();
      if (attempt === 3) up();
      return await store.payments.claim(...args);
    },
  };
}

const before = () => first(() => Promise.reject(broken()));
const after = (error: () => Error = broken) => first((real) => real().then(() => Promise.reject(error())));
const sendBy = (almara: Provider): Faults => ({ send: (_attempt, _real, args) => almara.submitPayment(...args) });

async function lookRefused(): Promise<Faults> {
  const nobody = await refusing();
  return { look: first(() => nobody.findPayment('any-payment')) };
}

interface Case {
  readonly fault: string;
  readonly faults: (paymentId: string) => Faults | Promise<Faults>;
  readonly behaviour?: BehaviourName;
  readonly ends: 'paid' | 'not-found';
  readonly posts: { readonly seen: 0 | 1; readonly captured: 0 | 1 };
  readonly attempts: number;
}

const PAID = { ends: 'paid', posts: { seen: 1, captured: 1 } } as const;
const NEVER_SENT = { ends: 'not-found', posts: { seen: 0, captured: 0 } } as const;
const LOST_ON_ITS_WAY = { ends: 'not-found', posts: { seen: 1, captured: 0 } } as const;

// prettier-ignore
const CASES: readonly Case[] = [
  { fault: 'before the look', faults: () => ({ look: before() }), ...PAID, attempts: 2 },
  { fault: 'the look is refused a connection', faults: lookRefused, ...PAID, attempts: 2 },
  { fault: 'after the look', faults: () => ({ look: after() }), ...PAID, attempts: 2 },
  { fault: 'before the claim', faults: () => ({ claim: before() }), ...PAID, attempts: 2 },
  { fault: 'the claim never arrives', faults: claimCut('before-forwarding'), ...PAID, attempts: 2 },
  { fault: 'the store is down during two claims', faults: storeDown, ...PAID, attempts: 3 },
  { fault: 'the claim is committed, its answer lost', faults: claimCut('after-the-answer'), ...PAID, attempts: 1 },
  { fault: 'the claim is committed, its answer lost for good', faults: (id) => ({ claim: after(() => new ClaimUncertain(id, broken())) }), ...NEVER_SENT, attempts: 2 },
  { fault: 'after the claim', faults: () => ({ claim: after() }), ...NEVER_SENT, attempts: 2 },
  { fault: 'before the connection', faults: () => ({ send: before() }), ...NEVER_SENT, attempts: 2 },
  { fault: 'the connection is refused', faults: async () => sendBy(await refusing()), ...NEVER_SENT, attempts: 1 },
  { fault: 'the connection is reset as it stands', faults: async () => sendBy(await resetting()), ...NEVER_SENT, attempts: 1 },
  { fault: 'the connection stands too late', faults: () => ({ send: (_attempt, real, [order, token, , signal]) => real(order, token, () => false, signal) }), ...NEVER_SENT, attempts: 1 },
  { fault: 'before the first byte arrives', faults: postCut('before-forwarding'), ...NEVER_SENT, attempts: 1 },
  { fault: 'after the first bytes', faults: postCut('after-the-words'), ...LOST_ON_ITS_WAY, attempts: 1 },
  { fault: 'after the last byte', faults: postCut('after-forwarding'), ...PAID, attempts: 1 },
  { fault: 'the answer breaks off', faults: postCut('in-the-answer'), ...PAID, attempts: 1 },
  { fault: 'the answer is lost', faults: postCut('after-the-answer'), ...PAID, attempts: 1 },
  { fault: 'after the answer', faults: () => ({ send: after() }), ...PAID, attempts: 2 },
  { fault: 'after the answer, and the callback is lost too', behaviour: 'callback-lost', faults: () => ({ send: after() }), ...PAID, attempts: 2 },
  { fault: 'after the answer, and look-ups do not show it yet', behaviour: 'not-found-then-paid', faults: () => ({ send: after() }), ...PAID, attempts: 2 },
  { fault: 'after the answer, and again while the next attempt asks the store', faults: () => ({ send: after(), facts: (attempt, real, args) => (attempt === 2 ? Promise.reject(broken()) : real(...args)) }), ...PAID, attempts: 3 },
  { fault: 'after a clear refusal, which is forgotten with it', behaviour: 'rejected', faults: () => ({ send: after() }), ...LOST_ON_ITS_WAY, attempts: 2 },
];

describe('G1 and G2: a fault at each line of submitPayment', () => {
  test.concurrent.each(CASES)('$fault', async ({ behaviour = 'paid-with-callback', faults, ends, posts, attempts }) => {
    const paymentId = await payWith({ flow, worker }, behaviour, faults);
    if (ends === 'paid') {
      const outcome = await outcomeOf(flow, paymentId);
      expect(outcome.kind).toBe('paid');
      expect((await flow.store.payments.facts(paymentId)).outcome).toEqual(outcome);
    } else {
      expect(await needsAttention(flow, paymentId)).toMatchObject({ stage: 'needs-attention', reason: ends });
      const { claim, outcome } = await flow.store.payments.facts(paymentId);
      expect({ claimed: claim !== undefined, outcome }).toEqual({ claimed: true });
    }
    expect(worker.attempts(paymentId)).toBe(attempts);
    const funds = ends === 'paid' ? FUNDS_WHEN.paid : FUNDS_WHEN.open;
    expect(await truthOf(flow, paymentId)).toEqual({ ...posts, funds });
  });
});
