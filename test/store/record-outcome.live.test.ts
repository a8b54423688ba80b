import { onDatabase, type TestDatabase } from '../support/postgres';
import {
  BY,
  CANCELLED,
  claim,
  decided,
  end,
  endAs,
  endByPerson,
  fundedPayment,
  fundsOf,
  look,
  newPaymentId,
  NOT_FOUND,
  outcomeOf,
  ownStore,
  PROVEN,
  reading,
  recordOf,
  registeredPayment,
  rulesOf,
  sentPayment,
  storeThroughProxy,
  UNREADABLE,
} from '../support/store';
import type { Cut, TcpProxy } from '../support/tcp-proxy';
import type { Ending } from '../../src/payment/ending';
import type { Submission } from '../../src/payment/observation';
import type { Store } from '../../src/store';

/** The end of a payment: made of what the store knows, all of it at once, and once (G2, G3, G5, G6, G7). */

let database: TestDatabase;
let store: Store;
let proxy: TcpProxy;
/** Through the proxy: as another worker, which can be held or cut. */
let slow: Store;
beforeAll(async () => {
  ({ database, store } = await ownStore());
  ({ proxy, store: slow } = await storeThroughProxy(database.url, '?application_name=slow'));
});

const factsOf = async (paymentId: string) => (await store.payments.read(paymentId, BY)).facts;
const callback = (paymentId: string, digest: string, change = {}) =>
  store.inbox.add({ paymentId, digest, body: '{}', reading: reading(change) });
const namedOf = async (paymentId: string) =>
  (await store.inbox.forPayment(paymentId)).map(({ handledAs }) => handledAs);

/** Ends it on the ground of what was read before `meanwhile`, as far as that still holds. */
async function endWhile(paymentId: string, ending: Ending, meanwhile: () => Promise<unknown>) {
  const began = new Date();
  const held = proxy.hold('read-payment');
  const ended = end(slow, paymentId, ending);
  const release = await held;
  await onDatabase(database.url, async (client) => {
    const hasRead = `SELECT FROM pg_stat_activity WHERE application_name = 'slow' AND state = 'idle' AND query_start > $1`;
    while ((await client.query(hasRead, [began])).rowCount === 0);
  });
  await meanwhile();
  release();
  return await ended;
}
const THE_END = 'end-payment';
const GAVE_UP: Ending = {
  kind: 'unsent',
  why: { kind: 'gave-up', step: 'submission', reason: 'expired', said: 'it could not be sent in time' },
};

/** Registered, and a person is asked: the provider has a record under its id, and the claim is free. */
async function foreignRecord(paymentId: string): Promise<string> {
  await look(store, paymentId, recordOf(paymentId, 'completed', { amount: 7 }));
  return paymentId;
}

describe('G6: money is posted or given back by the end', () => {
  test('paid posts', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    expect(await fundsOf(store, paymentId)).toEqual([780, 220, 0]);
    expect(await endAs(store, paymentId, 'completed')).toMatchObject({ kind: 'paid', amount: 220, settledBy: 'poll' });
    expect(await fundsOf(store, paymentId)).toEqual([780, 0, 220]);
  });

  test('paid in part posts that part and gives back the rest', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    expect(await endByPerson(store, paymentId, { amount: 200 })).toMatchObject({
      outcome: { kind: 'paid', amount: 200 },
    });
    expect(await fundsOf(store, paymentId)).toEqual([800, 0, 200]);
  });

  test('failed gives it back', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    expect(await endAs(store, paymentId, 'failed')).toMatchObject({ kind: 'declined', reason: 'failed' });
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
  });

  const untaken: readonly Submission[] = [
    { kind: 'rejected', reasons: ['no such service'] },
    { kind: 'not-sent', because: 'no connection' },
  ];
  test.each(untaken)('$kind gives it back', async (answer) => {
    const account = newPaymentId();
    await store.funds.add({ account, amount: 1000, currency: 'KES' });
    const paymentId = await sentPayment(store, { fundingAccount: account }, { answer });
    expect(outcomeOf(await end(store, paymentId, PROVEN))).toMatchObject({ kind: 'declined', reason: answer.kind });
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
  });

  test('a person’s decline gives it back', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    await look(store, paymentId, NOT_FOUND);
    const ended = await end(store, paymentId, decided({ decision: 'declined', providerCase: 'C-1' }));
    expect(ended).toMatchObject({ kind: 'closed', outcome: { reason: 'operator' } });
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
  });

  test.each([CANCELLED, GAVE_UP])('what was never sent has held nothing: %#', async (ending) => {
    const paymentId = await fundedPayment(store, { sent: false });
    outcomeOf(await end(store, paymentId, ending));
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
  });
});

describe('G6: a store that was restored has forgotten the claim, and a person says that it was paid', () => {
  test('its money is held and posted at once', async () => {
    const paymentId = await foreignRecord(await fundedPayment(store, { sent: false }));
    outcomeOf(await end(store, paymentId, decided({ amount: 200 })));
    expect(await fundsOf(store, paymentId)).toEqual([800, 0, 200]);
    expect(await claim(store, paymentId)).toMatchObject({ because: 'closed' });
  });

  test('too little money: they are told to add it, and nothing is changed', async () => {
    const account = newPaymentId();
    await store.funds.add({ account, amount: 100, currency: 'KES' });
    const paymentId = await foreignRecord(await registeredPayment(store, { fundingAccount: account }));
    const before = await factsOf(paymentId);
    expect(await end(store, paymentId, decided())).toEqual({
      kind: 'refused',
      because: `${account} does not hold the KES 220 that were paid: add the money first.`,
    });
    expect(await factsOf(paymentId)).toEqual(before);
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
    await store.funds.add({ account, amount: 120, currency: 'KES' });
    outcomeOf(await end(store, paymentId, decided()));
    expect(await fundsOf(store, paymentId)).toEqual([0, 0, 220]);
  });

  test('a decline moves nothing, and seals it', async () => {
    const paymentId = await foreignRecord(await fundedPayment(store, { sent: false }));
    outcomeOf(await end(store, paymentId, decided({ decision: 'declined', providerCase: 'C-1' })));
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
    expect((await factsOf(paymentId)).claim).toEqual({ kind: 'sealed' });
  });
});

describe('G2, G3: nobody brings an outcome', () => {
  test('nothing is proven: it stays open, and says how it stands', async () => {
    const paymentId = await sentPayment(store, {}, { rules: rulesOf({ attentionAfter: 3_600_000 }) });
    await look(store, paymentId, recordOf(paymentId, 'pending'));
    const stands = await end(store, paymentId, PROVEN);
    expect(stands).toMatchObject({ kind: 'open', look: { verdict: { kind: 'open' } } });
    expect(stands).toMatchObject({ look: { facts: await factsOf(paymentId) } });
  });

  test('a person is to be asked: it is written down since when', async () => {
    const paymentId = await sentPayment(store);
    const stands = await end(store, paymentId, PROVEN);
    expect(stands).toMatchObject({ look: { verdict: { ask: { reason: 'provider-silent' } } } });
    const { attentionSince } = await factsOf(paymentId);
    expect(stands).toMatchObject({ look: { at: attentionSince, facts: { attentionSince } } });
    expect(await end(store, paymentId, PROVEN)).toMatchObject({ look: { facts: { attentionSince } } });
  });

  test('what may have been sent does not end as unsent', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    for (const ending of [CANCELLED, GAVE_UP])
      expect(await end(store, paymentId, ending)).toMatchObject({ kind: 'open' });
    expect(await fundsOf(store, paymentId)).toEqual([780, 220, 0]);
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
  });

  test('what the provider has a record of does not, either', async () => {
    const paymentId = await foreignRecord(await registeredPayment(store));
    expect(await end(store, paymentId, CANCELLED)).toMatchObject({
      look: { verdict: { ask: { reason: 'id-in-use' } } },
    });
  });

  test('completed was seen once: no machine declines it, whatever it says now', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'completed'), 50_000);
    await callback(paymentId, 'one');
    await look(store, paymentId, recordOf(paymentId, 'failed'), 40_000);
    await look(store, paymentId, recordOf(paymentId, 'failed'));
    expect(await end(store, paymentId, PROVEN)).toMatchObject({
      look: { verdict: { ask: { reason: 'contradictory-answers' } } },
    });
  });

  test('the callbacks that were read are named; a later one comes back for comparison', async () => {
    const paymentId = await sentPayment(store);
    await callback(paymentId, 'one');
    await look(store, paymentId, recordOf(paymentId, 'completed'));
    const outcome = outcomeOf(await endWhile(paymentId, PROVEN, () => callback(paymentId, 'two')));
    expect(outcome).toMatchObject({ settledBy: 'callback' });
    expect(await namedOf(paymentId)).toEqual(['close', undefined]);
    const pending = (await store.inbox.pending(1000)).filter((row) => row.paymentId === paymentId);
    expect(pending).toMatchObject([{ closed: { outcome } }]);
  });
});

describe('who is overtaken between reading and writing decides again', () => {
  test('by a look that says completed: it is no decline any more', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'failed'), 40_000);
    await look(store, paymentId, recordOf(paymentId, 'failed'), 5_000);
    const completed = () => look(store, paymentId, recordOf(paymentId, 'completed'));
    expect(await endWhile(paymentId, PROVEN, completed)).toMatchObject({ outcome: { kind: 'paid' } });
  });

  test('by a claim: it is not unsent any more', async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    expect(await endWhile(paymentId, CANCELLED, () => claim(store, paymentId))).toMatchObject({ kind: 'open' });
    expect(await fundsOf(store, paymentId)).toEqual([780, 220, 0]);
  });

  test('by another end: that stands', async () => {
    const paymentId = await registeredPayment(store);
    const ended = await endWhile(paymentId, GAVE_UP, () => end(store, paymentId, CANCELLED));
    expect(ended).toMatchObject({ kind: 'closed', outcome: { kind: 'cancelled' } });
  });

  test('a decision by what completes the proof: the proof is recorded, and they have decided nothing', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, UNREADABLE);
    const completed = () => look(store, paymentId, recordOf(paymentId, 'completed'));
    const ended = await endWhile(paymentId, decided({ amount: 200 }), completed);
    expect(ended).toMatchObject({ outcome: { kind: 'paid', amount: 220, settledBy: 'poll' } });
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
  });
});

describe('G7: what is recorded stands', () => {
  test('whoever ends it again is told how it ended', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    const outcome = await endAs(store, paymentId, 'failed');
    const funds = await fundsOf(store, paymentId);
    for (const ending of [PROVEN, CANCELLED, GAVE_UP, decided()])
      expect(await end(store, paymentId, ending)).toEqual({ kind: 'closed', outcome, disputed: false });
    expect(await fundsOf(store, paymentId)).toEqual(funds);
    expect((await factsOf(paymentId)).closed?.outcome).toEqual(outcome);
  });

  test('of 20 ends at once one is recorded, and its funds move once', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    await look(store, paymentId, NOT_FOUND);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        end(
          store,
          paymentId,
          i % 2 ? decided({ note: `${i}` }) : decided({ decision: 'declined', providerCase: 'C-1' }),
        ),
      ),
    );
    const { closed } = await factsOf(paymentId);
    for (const answer of answers) expect(answer).toMatchObject({ kind: 'closed', outcome: closed?.outcome });
    expect(await fundsOf(store, paymentId)).toEqual(closed?.outcome.kind === 'paid' ? [780, 0, 220] : [1000, 0, 0]);
    expect(await store.operatorActions.list(paymentId)).toHaveLength(1);
  });
});

describe('a decision of a person', () => {
  test('is kept with what it looked like before, once', async () => {
    const paymentId = await fundedPayment(store, { sent: true });
    await callback(paymentId, 'one');
    await look(store, paymentId, recordOf(paymentId, 'pending'));
    const decision = decided({ providerCase: 'C-1', receiptNumber: 'S1' }, 'update 1');
    outcomeOf(await end(store, paymentId, decision));
    await end(store, paymentId, decision);
    const { seen } = await factsOf(paymentId);
    expect(await store.operatorActions.list(paymentId)).toEqual([
      {
        operator: 'amina',
        action: 'resolvePayment',
        note: 'biller confirmed by phone',
        details: { decision: 'paid', providerCase: 'C-1', receiptNumber: 'S1' },
        updateId: 'update 1',
        id: expect.any(Number),
        at: expect.any(Date),
        before: {
          state: 'open',
          claimedAt: expect.any(String),
          answer: { kind: 'accepted', providerId: '0100-abc', at: expect.any(Number) },
          seen,
          attentionSince: expect.any(String),
          disputedAt: null,
          callbacks: 1,
        },
      },
    ]);
  });

  test('a cancellation is one as well', async () => {
    const paymentId = await registeredPayment(store);
    outcomeOf(await end(store, paymentId, CANCELLED));
    expect(await store.operatorActions.list(paymentId)).toMatchObject([
      { operator: 'temporal-ui', action: 'cancelPayment', note: 'wrong meter', before: { state: 'open' } },
    ]);
  });

  test('that is refused leaves no row', async () => {
    const paymentId = await sentPayment(store);
    const early = await end(store, paymentId, decided());
    expect(early).toMatchObject({ kind: 'refused', because: expect.stringContaining('nobody was asked') });
    await look(store, paymentId, recordOf(paymentId, 'pending'));
    expect(await end(store, paymentId, decided({ decision: 'declined' }))).toMatchObject({ kind: 'refused' });
    expect(await store.operatorActions.list(paymentId)).toEqual([]);
  });

  test.each([0, -1, 0.5, 221])('"amount" %s is refused', async (amount) => {
    const paymentId = await sentPayment(store);
    expect(await endByPerson(store, paymentId, { amount })).toMatchObject({ kind: 'refused' });
  });
});

describe('all or nothing', () => {
  /** By a machine in one statement, and by a person in a transaction. */
  const endings: readonly (readonly [string, Ending])[] = [
    ['proof', PROVEN],
    ['a decision', decided()],
  ];
  async function readyFor(ending: Ending): Promise<string> {
    const paymentId = await fundedPayment(store, { sent: true });
    await callback(paymentId, 'one', { claims: 'unclear', code: undefined });
    await look(store, paymentId, ending === PROVEN ? recordOf(paymentId, 'completed') : UNREADABLE);
    return paymentId;
  }

  test.each(endings)(
    '%s whose backend dies at its last lock leaves no trace, and works when repeated',
    async (_by, ending) => {
      const paymentId = await readyFor(ending);
      const before = await factsOf(paymentId);
      await onDatabase(database.url, async (client) => {
        // Holding the account makes the end stop with everything else written and nothing committed.
        await client.query('BEGIN');
        await client.query('SELECT FROM funding_accounts WHERE id = $1 FOR UPDATE', [before.fundingAccount]);
        const killed = expect(end(store, paymentId, ending)).rejects.toThrow();
        await onDatabase(database.url, async (killer) => {
          const find = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                         AND wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()`;
          while ((await killer.query(find, [THE_END])).rowCount === 0);
        });
        await killed;
        await client.query('ROLLBACK');
      });
      expect(await factsOf(paymentId)).toEqual(before);
      expect(await fundsOf(store, paymentId)).toEqual([780, 220, 0]);
      expect(await store.operatorActions.list(paymentId)).toEqual([]);
      expect(await namedOf(paymentId)).toEqual([undefined]);

      outcomeOf(await end(store, paymentId, ending));
      expect(await fundsOf(store, paymentId)).toEqual([780, 0, 220]);
      expect(await namedOf(paymentId)).toEqual(['close']);
    },
  );

  const CUTS: readonly Cut[] = [
    'before-forwarding',
    'after-the-words',
    'after-forwarding',
    'in-the-answer',
    'after-the-answer',
  ];
  const points = endings.flatMap(([by, ending]) =>
    (ending === PROVEN ? [THE_END] : [THE_END, 'COMMIT']).flatMap((words) =>
      CUTS.map((when) => [by, words, when, ending] as const),
    ),
  );

  test.each(points)('%s cut at %s, %s: recorded once, whoever asks again', async (_by, words, when, ending) => {
    const paymentId = await readyFor(ending);
    const cut = proxy.cut(when, words);
    await expect(end(slow, paymentId, ending)).rejects.toThrow();
    await cut;
    // The server may still be at it: one statement sees one moment.
    const [{ closed, reservation } = {}] = await store.reconciliations.read([paymentId]);
    expect(reservation).toEqual(closed ? { settled: true, posted: 220 } : { settled: false, posted: 0 });
    const outcome = outcomeOf(await end(store, paymentId, ending));
    if (closed !== undefined) expect(outcome).toEqual(closed.outcome);
    expect(await fundsOf(store, paymentId)).toEqual([780, 0, 220]);
    expect(await namedOf(paymentId)).toEqual(['close']);
    expect(await store.operatorActions.list(paymentId)).toHaveLength(ending === PROVEN ? 0 : 1);
  });

  test('a callback flood does not wait for an end, nor an end for the flood', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'completed'));
    await onDatabase(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      expect(await callback(paymentId, 'while the payment is locked')).toMatchObject({ kind: 'stored' });
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      await client.query('SELECT FROM callback_counts WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      expect(await end(store, paymentId, PROVEN)).toMatchObject({ kind: 'closed' });
      await client.query('ROLLBACK');
    });
  });
});
