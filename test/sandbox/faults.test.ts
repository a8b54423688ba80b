import { accountOf, CALLBACK_FAULTS, planFaults, REQUEST_FAULTS, STATUS, type FaultPlan } from '../../src/sandbox';
import {
  disturbCallbacks,
  ENDPOINTS,
  type CallbackFault,
  type Endpoint,
  type RequestFault,
} from '../../src/sandbox/faults';
import type { DueCallback } from '../../src/sandbox/rules';
import { FAULTS } from '../../verification/faults';
import { Caller, json, type Answer } from './caller';

/** What a plan of faults does to requests and callbacks (G5): a pure function of its seed. */

const HOLD_MS = 60;
const NONE: FaultPlan = { refuses: () => false, request: () => undefined, callback: () => undefined };

/** One endpoint's first request meets it. */
const striking = (where: Endpoint, kind: RequestFault['kind']): FaultPlan => ({
  ...NONE,
  request: (endpoint, _subject, nth) => (endpoint === where && nth === 1 ? { kind, holdMs: HOLD_MS } : undefined),
});

describe('the plan', () => {
  const everything = (plan: FaultPlan): unknown[] =>
    ENDPOINTS.flatMap((endpoint) =>
      Array.from({ length: 60 }, (_, index) => [
        plan.request(endpoint, `payment-${index % 20}`, 1 + (index % 3)),
        plan.callback(`payment-${index}`),
        plan.refuses(index),
      ]),
    );

  test('is a pure function of its seed', () => {
    expect(everything(planFaults(7))).toEqual(everything(planFaults(7)));
    expect(everything(planFaults(7))).not.toEqual(everything(planFaults(8)));
  });

  test('has every fault, on every endpoint, and leaves most requests alone', () => {
    const plan = planFaults(1);
    for (const endpoint of ENDPOINTS) {
      const faults = Array.from({ length: 3_000 }, (_, nth) => plan.request(endpoint, 'payment', nth)?.kind);
      expect(new Set(faults)).toEqual(new Set([undefined, ...REQUEST_FAULTS]));
      expect(faults.filter((fault) => fault !== undefined).length).toBeLessThan(900);
    }
    const callbacks = Array.from({ length: 1_000 }, (_, nth) => plan.callback(`payment-${nth}`)?.kind);
    expect(new Set(callbacks)).toEqual(new Set([undefined, ...CALLBACK_FAULTS]));
    expect(Array.from({ length: 1_000 }, (_, nth) => plan.refuses(nth))).toContain(true);
  });

  test('uses the names that the fault matrix and the simulation use', () => {
    expect(FAULTS).toEqual(expect.arrayContaining(['connection-refused', ...REQUEST_FAULTS, ...CALLBACK_FAULTS]));
  });
});

describe('over HTTP', () => {
  let caller: Caller;
  afterEach(() => caller.close());

  const start = async (faults: FaultPlan): Promise<void> => {
    caller = await Caller.start({ faults });
  };
  const pay = (): Promise<Answer> => caller.pay('payment-1', '100001');
  const look = (): Promise<Answer> => caller.look('payment-1');
  const truth = () => {
    const { postsSeen, postsCaptured, said } = caller.sandbox.payment('payment-1');
    return { postsSeen, postsCaptured, said };
  };
  const nothingSaid = { completed: false, failed: false, rejected: false };
  const BROKEN = 'UND_ERR_SOCKET';

  // prettier-ignore
  const KINDS: readonly { readonly kind: RequestFault['kind']; readonly status: number | string; readonly captured: number }[] = [
    { kind: 'reset-before-capture', status: 'ECONNRESET', captured: 0 },
    { kind: 'reset-after-capture', status: 'ECONNRESET', captured: 1 },
    { kind: 'timeout-before-capture', status: BROKEN, captured: 0 },
    { kind: 'timeout-after-capture', status: BROKEN, captured: 1 },
    { kind: 'answer-401', status: 401, captured: 0 },
    { kind: 'answer-403', status: 403, captured: 0 },
    { kind: 'answer-429', status: 429, captured: 0 },
    { kind: 'answer-5xx', status: 503, captured: 0 },
    { kind: 'body-truncated', status: BROKEN, captured: 1 },
    { kind: 'body-unreadable', status: 200, captured: 1 },
    { kind: 'body-slow', status: 200, captured: 1 },
  ];

  test('there is a case for every kind', () => {
    expect(KINDS.map(({ kind }) => kind)).toEqual([...REQUEST_FAULTS]);
    caller = { close: () => Promise.resolve() } as Caller;
  });

  test.each(KINDS)(
    '$kind of a payment request: the caller sees $status, the ledger tells the truth',
    async ({ kind, status, captured }) => {
      await start(striking('pay', kind));
      const began = performance.now();
      const answer = await pay();
      expect(answer.status).toBe(status);
      if (kind.startsWith('timeout') || kind === 'body-slow')
        expect(performance.now() - began).toBeGreaterThan(HOLD_MS - 10);
      if (kind === 'body-unreadable') expect(() => json(answer)).toThrow();
      if (kind === 'body-slow')
        expect(json(answer)).toHaveProperty('message.remarks', 'Bill Payment submission accepted');
      expect(truth()).toEqual({ postsSeen: 1, postsCaptured: captured, said: nothingSaid });
      expect(caller.sandbox.ledger.faults()).toEqual({ [`pay ${kind}`]: 1 });
    },
  );

  test.each(ENDPOINTS.filter((endpoint) => endpoint !== 'pay'))(
    '%s: the first request is struck, the second is not',
    async (endpoint) => {
      await start({
        ...NONE,
        request: (where, _subject, nth) =>
          where === endpoint && nth === (endpoint === 'token' ? 2 : 1) ? { kind: 'answer-5xx', holdMs: 0 } : undefined,
      });
      const ask = {
        token: () => caller.askToken(),
        validate: () => caller.validate('100001'),
        look,
      }[endpoint];
      expect((await ask()).status).toBe(503);
      expect((await ask()).status).not.toBe(503);
    },
  );

  test('connection refused: reset before a word is said, and the ledger has seen nothing', async () => {
    let refuse = false;
    await start({ ...NONE, refuses: () => refuse });
    refuse = true;
    // Another connection than the one that signed in.
    const answers = await Promise.all([pay(), pay(), pay()]);
    expect(answers.map(({ status }) => status)).toContain('ECONNRESET');
    expect(caller.sandbox.ledger.faults()['connection connection-refused']).toBeGreaterThan(0);
  });

  test('what a look-up told is noted only if the answer could arrive', async () => {
    await start(striking('look', 'reset-after-capture'));
    await pay();
    caller.clock.now += 1_000;
    expect((await look()).status).toBe('ECONNRESET');
    expect(truth().said).toEqual(nothingSaid);
    expect(json(await look())).toHaveProperty('status', STATUS.completed);
    expect(truth().said).toEqual({ ...nothingSaid, completed: true });
  });

  test('a record of another amount is no completed record, and a failed one is told as failed', async () => {
    await start(NONE);
    await caller.pay('payment-1', '500005');
    caller.clock.now += 1_000;
    expect(json(await look())).toHaveProperty('status', STATUS.completed);
    expect(truth().said).toEqual(nothingSaid);
    caller.sandbox.setRecord('payment-1', { status: STATUS.failed });
    await look();
    expect(truth().said).toEqual({ ...nothingSaid, failed: true });
  });

  test('a clear refusal of the payment is noted', async () => {
    await start(NONE);
    await caller.pay('payment-1', '200002');
    expect(truth().said).toEqual({ ...nothingSaid, rejected: true });
  });
});

describe('callbacks', () => {
  const final: DueCallback = { after: 500, content: { shape: 'nested', status: STATUS.completed, code: '0' } };
  const disturbed = (kind: CallbackFault['kind'], way: CallbackFault['way'] = 'one') =>
    disturbCallbacks({ kind, way }, [final]).map(({ after, content, forged }) => [
      after,
      content.status,
      content.code,
      forged,
    ]);
  const completed = [500, 4, '0', undefined];

  test('without a fault they are as the rules want them', () => {
    expect(disturbCallbacks(undefined, [final])).toEqual([final]);
  });
  test.each([
    ['callback-lost', 'one', []],
    ['callback-repeated', 'one', [completed, [650, 4, '0', undefined], completed]],
    ['callback-early', 'one', [['before-answer', 4, '0', undefined]]],
    ['callback-late', 'one', [[6_500, 4, '0', undefined]]],
    ['callbacks-reordered', 'one', [completed, [650, 1, '0', undefined]]],
    ['callback-forged', 'one', [completed, [500, 6, '1', 'wrong-token']]],
    ['callback-forged', 'other', [completed, [500, 6, '1', 'other-payment']]],
    ['callback-contradictory', 'one', [completed, [500, 6, '1', undefined]]],
    ['callback-contradictory', 'other', [completed, [15_500, 6, '1', undefined]]],
  ] as const)('%s (%s)', (kind, way, expected) => {
    expect(disturbed(kind, way)).toEqual(expected);
  });

  test.each(CALLBACK_FAULTS)('where none is due, only a stranger sends one: %s', (kind) => {
    const sent = disturbCallbacks({ kind, way: 'one' }, []);
    expect(sent.map(({ forged }) => forged)).toEqual(kind === 'callback-forged' ? ['wrong-token'] : []);
  });

  test('what changes nothing is not counted, and the ledger knows which ones were forged', async () => {
    let kind: CallbackFault['kind'] = 'callback-lost';
    const caller = await Caller.start({ faults: { ...NONE, callback: () => ({ kind, way: 'one' }) } });
    // Of this account no callback is ever sent.
    await caller.pay('payment-1', accountOf('callback-lost'));
    expect(caller.sandbox.ledger.faults()).toEqual({});
    kind = 'callback-forged';
    await caller.pay('payment-2', '100001');
    await caller.sandbox.idle();
    expect(caller.sandbox.ledger.faults()).toEqual({ 'callback callback-forged': 1 });
    expect(caller.sandbox.payment('payment-2').callbacksSent.map(({ forged }) => forged)).toEqual([undefined, true]);
    await caller.close();
  });

  test.each([
    ['one', 'wrong-token'],
    ['other', 'other-payment'],
  ] as const)('a forged one really goes out as a stranger would send it: %s, %s', async (way, forged) => {
    const caller = await Caller.start({ faults: { ...NONE, callback: () => ({ kind: 'callback-forged', way }) } });
    await caller.pay('payment-1', '100001');
    await caller.sandbox.idle();
    const [genuine, forgery] = caller.receiver.received;
    expect(genuine?.path === forgery?.path).toBe(forged === 'other-payment');
    expect(forgery?.body['originatorConversationId']).toBe(
      forged === 'other-payment' ? 'payment-1-other' : 'payment-1',
    );
    await caller.close();
  });
});
