import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { almaraAt } from '../../dev/almara';
import { createAlmara } from '../../src/almara';
import type { Provider } from '../../src/payment/provider';
import { createLog } from '../../src/log';
import type { BehaviourName } from '../../src/sandbox';
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
import { CREDENTIALS, factsWhen, needsAttention, outcomeOf, startFlow, type Flow } from '../support/flow';
import { startTcpProxy, type Cut } from '../support/tcp-proxy';
import { sendWindowPasses } from '../support/time';

/**
 * A fault at each line of `submitPayment`, in flows that are otherwise whole and real. Whatever breaks, the provider sees at most
 * one payment request (G1), nothing is declined that may have been sent (G2), and money is held exactly where the claim is taken (G6).
 */
let flow: Flow;
let worker: FaultyWorker;

beforeAll(async () => {
  worker = createFaultyWorker();
  flow = await startFlow(worker.worker);
});

const log = createLog('test', 'silent');

/** A provider of its own address: the real adapter, with the sandbox's credentials. */
function providerAt(url: string): Provider {
  const almara = createAlmara(almaraAt(url, CREDENTIALS), { log });
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
  return providerAt(url);
}

async function resetting(): Promise<Provider> {
  const server = createServer((socket) => socket.on('error', () => undefined).resetAndDestroy());
  const url = await listen(server);
  atEndOfFile(async () => void server.close());
  return providerAt(url);
}

/** The payment POST goes through a network that cuts it there; looks do not. */
const postCut =
  (when: Cut) =>
  async (paymentId: string): Promise<Faults> => {
    const proxy = await startTcpProxy(flow.sandbox.url);
    atEndOfFile(() => proxy.close());
    const through = providerAt(proxy.url);
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
  const cut = proxy.cut(when, 'SET claimed_at = clock_timestamp()');
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
const sendBy = (provider: Provider): Faults => ({ send: (_attempt, _real, args) => provider.submitPayment(...args) });

/** What was heard cannot be written, so many times: the store does not take it, or takes it and does not say so. */
function unwritten(times: number, how: 'away' | 'answer-lost' = 'away'): Faults {
  let left = times;
  return {
    answered: async (_attempt, real, args) => {
      const fails = left-- > 0;
      const written = fails && how === 'away' ? undefined : await real(...args);
      if (fails || written === undefined) throw broken();
      return written;
    },
  };
}

async function lookRefused(): Promise<Faults> {
  const nobody = await refusing();
  return { look: first(() => nobody.findPayment('any-payment')) };
}

type End = 'paid' | 'not-found' | 'not-sent' | 'rejected';

interface Case {
  readonly fault: string;
  readonly faults: (paymentId: string) => Faults | Promise<Faults>;
  readonly behaviour?: BehaviourName;
  readonly ends: readonly End[];
  readonly posts: { readonly seen: 0 | 1; readonly captured: 0 | 1 };
  readonly attempts: number;
  /** What the claim's holder heard is lost with it. */
  readonly isForgotten?: true;
}

const PAID = { ends: ['paid'], posts: { seen: 1, captured: 1 } } as const;
const ASKED = { ends: ['not-found'], posts: { seen: 0, captured: 0 } } as const;
const LOST_ON_ITS_WAY = { ends: ['not-found'], posts: { seen: 1, captured: 0 } } as const;
const NOT_SENT = { ends: ['not-sent'], posts: { seen: 0, captured: 0 } } as const;
/** Either is true: nothing has left, and whether that is known depends on which of two events the kernel tells first. */
const NOT_SENT_OR_ASKED = { ends: ['not-sent', 'not-found'], posts: { seen: 0, captured: 0 } } as const;
const REJECTED = { ends: ['rejected'], posts: { seen: 1, captured: 0 }, behaviour: 'rejected' } as const;
const FORGOTTEN = { attempts: 2, isForgotten: true } as const;

// prettier-ignore
const CASES: readonly Case[] = [
  { fault: 'before the look', faults: () => ({ look: before() }), ...PAID, attempts: 2 },
  { fault: 'the look is refused a connection', faults: lookRefused, ...PAID, attempts: 2 },
  { fault: 'after the look', faults: () => ({ look: after() }), ...PAID, attempts: 2 },
  { fault: 'before the claim', faults: () => ({ claim: before() }), ...PAID, attempts: 2 },
  { fault: 'the claim never arrives', faults: claimCut('before-forwarding'), ...PAID, attempts: 2 },
  { fault: 'the claim arrives in part', faults: claimCut('after-the-words'), ...PAID, attempts: 2 },
  { fault: 'the store is down during two claims', faults: storeDown, ...PAID, attempts: 3 },
  { fault: 'the claim arrives, and the connection breaks', faults: claimCut('after-forwarding'), ...PAID, attempts: 1 },
  { fault: 'the claim is committed, its answer lost', faults: claimCut('after-the-answer'), ...PAID, attempts: 1 },
  { fault: 'the claim is committed, its answer lost for good', faults: (id) => ({ claim: after(() => new ClaimUncertain(id, broken())) }), ...ASKED, ...FORGOTTEN },
  { fault: 'after the claim', faults: () => ({ claim: after() }), ...ASKED, ...FORGOTTEN },
  { fault: 'before the connection', faults: () => ({ send: before() }), ...ASKED, ...FORGOTTEN },
  { fault: 'the connection is refused', faults: async () => sendBy(await refusing()), ...NOT_SENT, attempts: 1 },
  { fault: 'the connection is reset as it stands', faults: async () => sendBy(await resetting()), ...NOT_SENT_OR_ASKED, attempts: 1 },
  { fault: 'the connection stands too late', faults: () => ({ send: (_attempt, real, [order, session, , signal]) => real(order, session, () => false, signal) }), ...NOT_SENT, attempts: 1 },
  { fault: 'before the first byte arrives', faults: postCut('before-forwarding'), ...ASKED, attempts: 1 },
  { fault: 'after the first bytes', faults: postCut('after-the-words'), ...LOST_ON_ITS_WAY, attempts: 1 },
  { fault: 'after the last byte', faults: postCut('after-forwarding'), ...PAID, attempts: 1 },
  { fault: 'the answer breaks off', faults: postCut('in-the-answer'), ...PAID, attempts: 1 },
  { fault: 'the answer is lost', faults: postCut('after-the-answer'), ...PAID, attempts: 1 },
  { fault: 'after the answer', faults: () => ({ send: after() }), ...PAID, ...FORGOTTEN },
  { fault: 'after the answer, and the callback is lost too', behaviour: 'callback-lost', faults: () => ({ send: after() }), ...PAID, ...FORGOTTEN },
  { fault: 'after the answer, and look-ups do not show it yet', behaviour: 'not-found-then-paid', faults: () => ({ send: after() }), ...PAID, ...FORGOTTEN },
  { fault: 'after the answer, and again while the next attempt asks the store', faults: () => ({ send: after(), read: (attempt, real, args) => (attempt === 2 ? Promise.reject(broken()) : real(...args)) }), ...PAID, ...FORGOTTEN, attempts: 3 },
  { fault: 'after a clear refusal, which is forgotten with it', behaviour: 'rejected', faults: () => ({ send: after() }), ...LOST_ON_ITS_WAY, ...FORGOTTEN },
  { fault: 'the store is away when the answer is written: it is, once it is back', faults: () => unwritten(3), ...PAID, attempts: 1 },
  { fault: 'the store is away when a clear refusal is written: it is, once it is back', faults: () => unwritten(3), ...REJECTED, attempts: 1 },
  { fault: 'the answer is written, and nobody is told: it stands', faults: () => unwritten(1, 'answer-lost'), ...REJECTED, attempts: 1 },
];

describe('G1, G2, G6: a fault at each line of submitPayment', () => {
  test.concurrent.each(CASES)(
    '$fault',
    async ({ behaviour = 'paid-with-callback', faults, ends, posts, ...expected }) => {
      const { attempts, isForgotten = false } = expected;
      const paymentId = await payWith({ flow, worker }, behaviour, faults);
      if (isForgotten) await sendWindowPasses(flow, paymentId, { hasTakenIt: ends.includes('paid') });
      const end = await endOf(paymentId);
      expect(ends).toContain(end);
      expect(worker.attempts(paymentId)).toBe(attempts);
      const funds = {
        paid: FUNDS_WHEN.paid,
        'not-found': FUNDS_WHEN.open,
        'not-sent': FUNDS_WHEN.back,
        rejected: FUNDS_WHEN.back,
      };
      expect(await truthOf(flow, paymentId)).toEqual({ ...posts, funds: funds[end] });
    },
  );
});

/** How it ends, or why a person is asked. */
async function endOf(paymentId: string): Promise<End> {
  const { claim, closed } = await factsWhen(
    flow,
    paymentId,
    'the end',
    (facts) => (facts.closed ?? facts.attentionSince) !== undefined,
  );
  expect(claim).toMatchObject({ kind: 'taken' });
  if (closed === undefined) {
    const { stage, reason } = await needsAttention(flow, paymentId);
    expect({ stage, reason }).toEqual({ stage: 'needs-attention', reason: 'not-found' });
    return 'not-found';
  }
  const outcome = await outcomeOf(flow, paymentId);
  expect(outcome).toEqual(closed.outcome);
  return outcome.kind === 'declined' ? (outcome.reason as End) : (outcome.kind as End);
}
