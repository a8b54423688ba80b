import { onDatabase, type TestDatabase } from '../support/postgres';
import {
  ACCEPTED,
  BY,
  CANCELLED,
  claim,
  claimOf,
  end,
  endAs,
  fundedPayment,
  fundsOf,
  look,
  newPaymentId,
  outcomeOf,
  ownStore,
  PROVEN,
  recordOf,
  registeredPayment,
  requestOf,
  rulesOf,
  sentPayment,
  storeThroughProxy,
} from '../support/store';
import type { Cut, TcpProxy } from '../support/tcp-proxy';
import { ClaimUncertain, ImpossibleRequest, type Store } from '../../src/store';

/** The right to send is taken once, with the money, and of what was registered (G1, G6). */

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  ({ database, store } = await ownStore(20));
});

const factsOf = async (paymentId: string) => (await store.payments.read(paymentId, BY)).facts;

describe('G1: one claim per payment, for ever', () => {
  test('of 50 attempts at once one is told so, on the ground of one reading', async () => {
    const paymentId = await registeredPayment(store);
    const known = await store.payments.read(paymentId, BY);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => store.payments.claim(paymentId, known, claimOf(), BY)),
    );
    expect(answers.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
    expect(answers.filter((answer) => 'because' in answer && answer.because === 'taken')).toHaveLength(49);
  });

  test('none after an end, however it ended', async () => {
    const free = await registeredPayment(store);
    await end(store, free, CANCELLED);
    const sent = await sentPayment(store);
    await endAs(store, sent, 'failed');
    for (const paymentId of [free, sent])
      expect(await claim(store, paymentId)).toEqual({ kind: 'not-claimed', because: 'closed' });
  });

  test('none once the provider has a record under its id', async () => {
    const paymentId = await registeredPayment(store);
    const before = await store.payments.read(paymentId, BY);
    await look(store, paymentId, recordOf(paymentId, 'pending'));
    // Also for an attempt that has read it before.
    const answer = await store.payments.claim(paymentId, before, claimOf(), BY);
    expect(answer).toEqual({ kind: 'not-claimed', because: 'record-seen' });
    expect((await factsOf(paymentId)).claim).toEqual({ kind: 'free' });
  });

  test('what is about to be sent is what was registered, or there is none', async () => {
    const paymentId = await registeredPayment(store);
    expect(await claim(store, paymentId, { fingerprint: 'other' })).toEqual({ kind: 'other-content' });
    expect((await factsOf(paymentId)).claim).toEqual({ kind: 'free' });
    // Whatever the reading says.
    const forged = { ...(await store.payments.read(paymentId, BY)), fingerprint: 'other' };
    expect(await store.payments.claim(paymentId, forged, claimOf({ fingerprint: 'other' }), BY)).toEqual({
      kind: 'other-content',
    });
  });

  test('a reading that no longer holds is read again: what has not changed the claim does not cost it', async () => {
    const paymentId = await registeredPayment(store);
    const before = await store.payments.read(paymentId, BY);
    await onDatabase(database.url, (client) =>
      client.query('UPDATE payments SET attention_since = now() WHERE payment_id = $1', [paymentId]),
    );
    expect(await store.payments.claim(paymentId, before, claimOf(), BY)).toEqual({ kind: 'claimed' });
  });

  test('claim and cancellation at once: exactly one of them wins', async () => {
    for (let round = 0; round < 25; round += 1) {
      const paymentId = await fundedPayment(store, { sent: false });
      const known = await store.payments.read(paymentId, BY);
      const [claimed, ended] = await Promise.all([
        store.payments.claim(paymentId, known, claimOf(), BY),
        end(store, paymentId, CANCELLED),
      ]);
      expect([claimed.kind, ended.kind]).toEqual(
        claimed.kind === 'claimed' ? ['claimed', 'open'] : ['not-claimed', 'closed'],
      );
      expect(await fundsOf(store, paymentId)).toEqual(claimed.kind === 'claimed' ? [780, 220, 0] : [1000, 0, 0]);
    }
  });

  test.each(['', 'sealed'])('a nonce that is nobody’s own is a bug: "%s"', async (nonce) => {
    await expect(claim(store, await registeredPayment(store), { nonce })).rejects.toThrow(ImpossibleRequest);
  });
});

describe('G6: the claim holds the money, or is not taken', () => {
  const onAccount = async (fundingAccount: string, amount: number): Promise<string> => {
    const paymentId = newPaymentId();
    await store.payments.register(requestOf(paymentId, { amount, fundingAccount }), 'fingerprint', rulesOf(), BY);
    return paymentId;
  };

  test('held from the claim on, and not before', async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
    expect(await claim(store, paymentId)).toEqual({ kind: 'claimed' });
    expect(await fundsOf(store, paymentId)).toEqual([780, 220, 0]);
  });

  test('50 parallel claims on one account: as many as there is money for, never one more', async () => {
    await store.funds.add({ account: 'float-1', amount: 2_000, currency: 'KES' });
    const payments = await Promise.all(Array.from({ length: 50 }, () => onAccount('float-1', 100)));
    const answers = await Promise.all(payments.map((paymentId) => claim(store, paymentId)));
    expect(answers.filter(({ kind }) => kind === 'claimed')).toHaveLength(20);
    expect(answers.filter(({ kind }) => kind === 'no-funds')).toHaveLength(30);
    const account = { id: 'float-1', currency: 'KES', available: 0, reserved: 2_000, posted: 0, deposited: 2_000 };
    expect(await store.funds.account('float-1')).toEqual(account);
  });

  test('too little money: nothing is claimed or held, and it may be claimed when there is enough', async () => {
    await store.funds.add({ account: 'float-2', amount: 219, currency: 'KES' });
    const paymentId = await onAccount('float-2', 220);
    expect(await claim(store, paymentId)).toEqual({ kind: 'no-funds', reason: 'insufficient-funds' });
    expect(await factsOf(paymentId)).toMatchObject({ claim: { kind: 'free' } });
    await store.funds.add({ account: 'float-2', amount: 1, currency: 'KES' });
    expect(await claim(store, paymentId)).toEqual({ kind: 'claimed' });
    expect(await fundsOf(store, paymentId)).toEqual([0, 220, 0]);
  });

  test.each([
    ['not there', 'nobody'],
    ['in another currency', 'dollars'],
  ])('an account that is %s is unknown', async (_what, account) => {
    if (account === 'dollars') await store.funds.add({ account, amount: 1_000, currency: 'USD' });
    const answer = await claim(store, await onAccount(account, 220));
    expect(answer).toEqual({ kind: 'no-funds', reason: 'unknown-funding-account' });
  });

  test('50 parallel claims and ends on two accounts end, with nothing held', async () => {
    for (const account of ['busy-1', 'busy-2']) await store.funds.add({ account, amount: 5_000, currency: 'KES' });
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const paymentId = await onAccount(`busy-${1 + (i % 2)}`, 220);
        const { nonce } = claimOf();
        // There is money for some 22 on each; the others are cancelled.
        const { kind } = await claim(store, paymentId, { nonce });
        if (kind === 'no-funds') return outcomeOf(await end(store, paymentId, CANCELLED));
        await store.payments.answered(paymentId, nonce, { kind: 'rejected', reasons: ['no'] }, BY);
        return outcomeOf(await end(store, paymentId, PROVEN));
      }),
    );
    for (const account of ['busy-1', 'busy-2'])
      expect(await store.funds.account(account)).toMatchObject({ available: 5_000, reserved: 0, posted: 0 });
  });
});

describe('what its holder has heard', () => {
  test('is written once, by the holder alone', async () => {
    const paymentId = await registeredPayment(store);
    const { nonce } = claimOf();
    const before = await store.payments.answered(paymentId, nonce, ACCEPTED, BY);
    expect(before.facts.claim).toEqual({ kind: 'free' });
    await claim(store, paymentId, { nonce });

    const others = await store.payments.answered(paymentId, 'somebody', { kind: 'rejected', reasons: [] }, BY);
    expect(others.facts.claim).not.toHaveProperty('answer');
    const written = await store.payments.answered(paymentId, nonce, ACCEPTED, BY);
    expect(written.facts.claim).toMatchObject({ answer: { ...ACCEPTED, at: expect.any(Number) } });
    expect(written.facts).toEqual(await factsOf(paymentId));

    for (const again of [ACCEPTED, { kind: 'rejected', reasons: ['no'] } as const])
      expect((await store.payments.answered(paymentId, nonce, again, BY)).facts).toEqual(written.facts);
  });

  test('nobody holds a sealed payment', async () => {
    const paymentId = await registeredPayment(store);
    await end(store, paymentId, CANCELLED);
    await expect(store.payments.answered(paymentId, 'sealed', ACCEPTED, BY)).rejects.toMatchObject({ code: '23514' });
    expect((await store.payments.answered(paymentId, 'nonce', ACCEPTED, BY)).facts.claim).toEqual({ kind: 'sealed' });
  });
});

/** The proxy really cuts the connection; the server really commits, or does not. */
describe('when the network loses what the database said', () => {
  let proxy: TcpProxy;
  /** Through the proxy. */
  let cutStore: Store;
  beforeAll(async () => {
    ({ proxy, store: cutStore } = await storeThroughProxy(database.url));
  });

  const THE_CLAIM = 'take-claim';
  /** Ready to be claimed by both. */
  const ready = async () => {
    const paymentId = await fundedPayment(store, { sent: false });
    const known = await store.payments.read(paymentId, BY);
    return { paymentId, claimBy: (one: Store) => one.payments.claim(paymentId, known, claimOf(), BY) };
  };
  const HELD = [780, 220, 0];

  test('the claim is committed and its answer lost: it recognises its own claim', async () => {
    const { paymentId, claimBy } = await ready();
    const cut = proxy.cut('after-the-answer', THE_CLAIM);
    expect(await claimBy(cutStore)).toEqual({ kind: 'claimed' });
    await cut;
    expect(await claimBy(store)).toEqual({ kind: 'not-claimed', because: 'taken' });
    expect(await fundsOf(store, paymentId)).toEqual(HELD);
  });

  test('the claim never arrives: nothing is claimed or held, and the next attempt may', async () => {
    const { paymentId, claimBy } = await ready();
    const cut = proxy.cut('before-forwarding', THE_CLAIM);
    await expect(claimBy(cutStore)).rejects.toThrow(ClaimUncertain);
    await cut;
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
    expect(await claimBy(cutStore)).toEqual({ kind: 'claimed' });
  });

  test.each<Cut>(['after-the-words', 'after-forwarding', 'in-the-answer'])(
    'cut %s: claimed and held, or neither',
    async (when) => {
      const { paymentId, claimBy } = await ready();
      const cut = proxy.cut(when, THE_CLAIM);
      const answer = await claimBy(cutStore).catch((error: Error) => error);
      await cut;
      if (!(answer instanceof ClaimUncertain)) expect(answer).toEqual({ kind: 'claimed' });
      // The server may still be at it: one statement sees one moment.
      const [{ claim: known, reservation } = {}] = await store.reconciliations.read([paymentId]);
      expect(reservation).toEqual(known?.kind === 'taken' ? { settled: false, posted: 0 } : undefined);
      if (answer instanceof Error) return;
      expect(await fundsOf(store, paymentId)).toEqual(HELD);
    },
  );

  test('the answer "another has it", or "it has ended", is lost', async () => {
    const taken = await ready();
    await taken.claimBy(store);
    const ended = await ready();
    await end(store, ended.paymentId, CANCELLED);
    for (const [{ claimBy }, because] of [
      [taken, 'taken'],
      [ended, 'closed'],
    ] as const) {
      const cut = proxy.cut('after-the-answer', THE_CLAIM);
      expect(await claimBy(cutStore)).toEqual({ kind: 'not-claimed', because });
      await cut;
    }
  });

  test('the backend is ended while it waits for the row: nothing is claimed', async () => {
    const { paymentId, claimBy } = await ready();
    await onDatabase(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      const outcome = expect(claimBy(cutStore)).rejects.toThrow(ClaimUncertain);
      await endBlockedBackend(THE_CLAIM);
      await client.query('ROLLBACK');
      await outcome;
    });
    expect((await factsOf(paymentId)).claim).toEqual({ kind: 'free' });
    expect(await fundsOf(store, paymentId)).toEqual([1000, 0, 0]);
  });

  test('a row that stays locked: an error within the time to send, nothing claimed, and no lock left behind', async () => {
    const { paymentId, claimBy } = await ready();
    await onDatabase(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [paymentId]);
      await expect(claimBy(store)).rejects.toThrow('lock timeout');
      await client.query('ROLLBACK');
    });
    expect(await claimBy(store)).toEqual({ kind: 'claimed' });
  });

  test('idle connections that break end no process, and the next statement works', async () => {
    await Promise.all(Array.from({ length: 5 }, () => store.ping()));
    await onDatabase(database.url, async (client) => {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'almara-bill-payments'`,
      );
      expect(rowCount).toBeGreaterThan(0);
    });
    await expect(eventually(() => registeredPayment(store))).resolves.toMatch(/^pay-/);
  });

  /** Ends the backend that waits for a lock with this statement, as soon as there is one. */
  async function endBlockedBackend(words: string): Promise<void> {
    await onDatabase(database.url, async (client) => {
      for (let ended = 0; ended === 0;) {
        const { rowCount } = await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()`,
          [words],
        );
        ended = rowCount ?? 0;
      }
    });
  }

  /** As an activity's retry would: a connection that broke unseen fails the one statement that meets it. */
  async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let left = 20; left > 0; left -= 1) {
      try {
        return await attempt();
      } catch {
        // The next connection.
      }
    }
    return await attempt();
  }
});
