import { onDatabase, type TestDatabase } from '../support/postgres';
import {
  BY,
  CANCELLED,
  claim,
  decided,
  end,
  endAs,
  endByPerson,
  look,
  NOT_FOUND,
  observed,
  ownStore,
  PROVEN,
  reading,
  recordOf,
  registeredPayment,
  rulesOf,
  sentPayment,
  storeAt,
  storeThroughProxy,
  UNREADABLE,
} from '../support/store';
import type { Cut, TcpProxy } from '../support/tcp-proxy';
import { AnswerTooOld, type Store } from '../../src/store';

/** A look writes before it speaks, and what is known only grows (G2, G5). */

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  ({ database, store } = await ownStore());
});

const factsOf = async (paymentId: string) => (await store.payments.read(paymentId, BY)).facts;

describe('what a look says is what the row has', () => {
  test('the provider’s answer, the callbacks, and the verdict on both', async () => {
    const paymentId = await sentPayment(store);
    await store.inbox.add({ paymentId, digest: 'one', body: '{}', reading: reading() });
    await look(store, paymentId, recordOf(paymentId, 'failed'), 40_000);
    const said = await look(store, paymentId, recordOf(paymentId, 'failed'));
    expect(said).toMatchObject({ said: 'failed', verdict: { kind: 'failed', code: '1' } });
    expect(said.facts).toEqual(await factsOf(paymentId));
  });

  test('an answer that nobody can read writes nothing, and leaves what was known', async () => {
    const paymentId = await sentPayment(store, {}, { rules: rulesOf({ attentionAfter: 3_600_000 }) });
    await look(store, paymentId, recordOf(paymentId, 'pending'));
    const { version } = await store.payments.read(paymentId, BY);
    const said = await look(store, paymentId, UNREADABLE);
    expect(said).toMatchObject({ said: 'nothing in time', verdict: { kind: 'open' } });
    expect(said.facts.seen.last).toMatchObject({ state: 'pending' });
    expect((await store.payments.read(paymentId, BY)).version).toBe(version);
  });

  test('that it is not known before anybody has sent it is not written: nobody waits for that', async () => {
    const paymentId = await registeredPayment(store);
    expect((await look(store, paymentId, NOT_FOUND)).facts.seen).toEqual({});
    expect((await store.payments.read(paymentId, BY)).version).toBe(1);
    // Once it may have been sent it is.
    const sent = await sentPayment(store);
    expect((await look(store, sent, NOT_FOUND)).facts.seen.last).toMatchObject({ state: 'not-found' });
  });
});

describe('what is known only grows', () => {
  test('the first look that asks says since when, for ever', async () => {
    const paymentId = await sentPayment(store);
    const first = await look(store, paymentId, UNREADABLE);
    expect(first).toMatchObject({
      verdict: { ask: { reason: 'provider-silent' } },
      facts: { attentionSince: first.at },
    });
    const next = await look(store, paymentId, recordOf(paymentId, 'pending'));
    expect(next.facts.attentionSince).toBe(first.at);
    expect(await factsOf(paymentId)).toMatchObject({ attentionSince: first.at });
  });

  test('an older answer displaces nothing, and is not lost', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'pending'), 1_000);
    const { facts } = await look(store, paymentId, recordOf(paymentId, 'completed'), 20_000);
    expect(facts.seen).toMatchObject({ last: { state: 'pending' }, completedAt: expect.any(Number) });
  });

  const answers = ['completed', 'failed', 'failed', 'pending', 'not-found', 'failed'] as const;
  const lookAt = (paymentId: string, index: number) => {
    const state = answers[index] ?? 'not-found';
    const observation = state === 'not-found' ? NOT_FOUND : recordOf(paymentId, state);
    return look(store, paymentId, observation, 50_000 - index * 7_000);
  };

  test('looks at once commute: the same is known as after one look after the other, in whatever order', async () => {
    const orders = [answers.map((_, index) => index), answers.map((_, index) => answers.length - 1 - index)];
    const known = [];
    for (const order of orders) {
      const paymentId = await sentPayment(store);
      for (const index of order) await lookAt(paymentId, index);
      known.push(await factsOf(paymentId));
    }
    for (let round = 0; round < 5; round += 1) {
      const paymentId = await sentPayment(store);
      await Promise.all(answers.map((_, index) => lookAt(paymentId, index)));
      known.push(await factsOf(paymentId));
    }
    // The times are each payment's own; the distances are those of the answers.
    const shapes = known.map(({ seen: { last, ...times } }) => ({
      last: last?.state,
      times: Object.keys(times).sort(),
      failedFor: Math.round(((times.failedLastAskedAt ?? 0) - (times.failedFirstAskedAt ?? 0)) / 1_000),
    }));
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(1);
    expect(shapes[0]).toMatchObject({ last: 'failed', failedFor: 28 });
  });

  test('20 looks at once: every one is told, and each is known', async () => {
    const paymentId = await sentPayment(store);
    const looks = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        look(
          store,
          paymentId,
          recordOf(paymentId, i === 7 ? 'completed' : 'pending', { said: `look ${i}` }),
          20_000 - i * 500,
        ),
      ),
    );
    for (const [i, { said }] of looks.entries()) expect(said).toBe(`look ${i}`);
    expect((await factsOf(paymentId)).seen).toMatchObject({
      completedAt: expect.any(Number),
      last: { said: 'look 19' },
    });
  });
});

describe('when it was', () => {
  test('the answer lies surely between its two times, however slow the database is', async () => {
    const paymentId = await sentPayment(store);
    const [began, monotonic] = [Date.now(), performance.now()];
    const passed = () => performance.now() - monotonic;
    await onDatabase(database.url, async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE payments IN ACCESS EXCLUSIVE MODE');
      const slow = store.payments.look(
        paymentId,
        { observation: recordOf(paymentId, 'failed'), askedAgo: passed, answeredAgo: passed },
        BY,
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      await client.query('COMMIT');
      const { last } = (await slow).facts.seen;
      // One machine, so one clock: it was asked and answered when this test began.
      expect(last?.askedAt).toBeLessThanOrEqual(began + 1);
      expect(last?.answeredAt).toBeGreaterThanOrEqual(began - 1);
    });
  });

  test('an answer of more than a minute ago is not merged: look again', async () => {
    const paymentId = await sentPayment(store);
    await expect(look(store, paymentId, recordOf(paymentId, 'completed'), 61_000)).rejects.toThrow(AnswerTooOld);
    // What it has told for ever is known all the same, and nothing else.
    const { completedAt, recordAt, ...rest } = (await factsOf(paymentId)).seen;
    expect([completedAt, recordAt, rest]).toEqual([expect.any(Number), expect.any(Number), {}]);
    // No answer has no age: a person is asked all the same.
    expect((await look(store, paymentId, UNREADABLE, 61_000)).facts.attentionSince).toBeDefined();
  });
});

describe('asked with the credentials of another account than it was sent from', () => {
  const OTHER = { ...BY, account: 'another' };
  test('"not found" says nothing, somebody else’s record is nothing about it, and its own record counts', async () => {
    const paymentId = await sentPayment(store);
    for (const observation of [NOT_FOUND, recordOf(paymentId, 'completed', { amount: 1 })])
      expect((await look(store, paymentId, observation, 0, OTHER)).facts.seen).toEqual({});
    const { verdict } = await look(store, paymentId, recordOf(paymentId, 'completed'), 0, OTHER);
    expect(verdict).toMatchObject({ kind: 'paid' });
  });
});

describe('after the end', () => {
  const disputeOf = (paymentId: string) => store.disputes.find(paymentId);

  test.each([
    ['failed', 'completed', 'Recorded as declined; the provider says completed'],
    ['completed', 'failed', 'Recorded as paid KES 220; the provider says failed'],
  ] as const)('G5: %s, and then %s is a dispute; the outcome stands', async (before, after, because) => {
    const paymentId = await sentPayment(store);
    const outcome = await endAs(store, paymentId, before);
    // Asked before the end, by a clock that is read a moment too early, an answer would be old news.
    const { facts } = await look(store, paymentId, recordOf(paymentId, after), -1_000);
    expect(facts.closed).toEqual({ outcome, disputed: true });
    expect(await factsOf(paymentId)).toEqual(facts);
    expect(await disputeOf(paymentId)).toMatchObject({ raisedBy: 'look', because });
    await look(store, paymentId, recordOf(paymentId, after), -1_000);
    expect(await disputeOf(paymentId)).toMatchObject({ because });
  });

  test('G5: a completed record of what was never sent is a dispute as well', async () => {
    const paymentId = await registeredPayment(store);
    await end(store, paymentId, CANCELLED);
    expect((await look(store, paymentId, NOT_FOUND)).facts.seen).toEqual({});
    await look(store, paymentId, recordOf(paymentId, 'completed', { amount: 7 }));
    expect(await disputeOf(paymentId)).toMatchObject({ raisedBy: 'look' });
  });

  test('what agrees fills the receipt, and no more', async () => {
    const paymentId = await sentPayment(store);
    await endByPerson(store, paymentId, { receiptNumber: 'S575998' });
    const receipt = { number: 'S575998', token: '1234-5678', narration: 'thanks' };
    const { facts } = await look(store, paymentId, recordOf(paymentId, 'completed', { receipt }));
    expect(facts.closed).toMatchObject({ disputed: false, outcome: { receipt } });
    expect(await factsOf(paymentId)).toEqual(facts);
    expect(await disputeOf(paymentId)).toBeUndefined();
  });

  test('an answer of before the end that comes late contradicts nothing', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'failed'), 40_000);
    await endAs(store, paymentId, 'completed');
    const { facts } = await look(store, paymentId, recordOf(paymentId, 'failed'), 30_000);
    expect(facts).toMatchObject({ closed: { disputed: false }, seen: { failedFirstAskedAt: expect.any(Number) } });
  });

  test('a look and a callback that raise at once wait for each other: one dispute', async () => {
    for (let round = 0; round < 5; round += 1) {
      const paymentId = await sentPayment(store);
      await endAs(store, paymentId, 'failed');
      await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          i % 2
            ? store.disputes.raise(paymentId, { by: 'callback', because: 'a callback says paid' })
            : look(store, paymentId, recordOf(paymentId, 'completed')),
        ),
      );
      expect(await disputeOf(paymentId)).toMatchObject({ paymentId });
      expect(await factsOf(paymentId)).toMatchObject({ closed: { disputed: true } });
    }
  });
});

test('a look and an end at once: it is known to the end, or compared with it', async () => {
  const ends = new Set<string>();
  for (let round = 0; round < 30; round += 1) {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, recordOf(paymentId, 'failed'), 40_000);
    await look(store, paymentId, recordOf(paymentId, 'failed'), 5_000);
    const [said, recorded] = await Promise.all([
      look(store, paymentId, recordOf(paymentId, 'completed')),
      end(store, paymentId, PROVEN),
    ]);
    expect(said.facts.seen.completedAt).toBeDefined();
    const { closed, seen } = await factsOf(paymentId);
    expect(seen.completedAt).toBeDefined();
    ends.add(recorded.kind === 'closed' ? recorded.outcome.kind : recorded.kind);
    if (recorded.kind === 'closed' && recorded.outcome.kind === 'declined') expect(closed?.disputed).toBe(true);
    else expect(closed?.outcome.kind ?? 'open').not.toBe('declined');
  }
  // Both sides have won.
  expect(ends).toContain('paid');
});

describe('G2: what was told and not written was not told', () => {
  let proxy: TcpProxy;
  /** Through the proxy. */
  let cutStore: Store;
  beforeAll(async () => {
    ({ proxy, store: cutStore } = await storeThroughProxy(database.url));
  });

  const CUTS: readonly Cut[] = [
    'before-forwarding',
    'after-the-words',
    'after-forwarding',
    'in-the-answer',
    'after-the-answer',
  ];
  const READ = 'read-payment';
  const WRITE = 'write-look';
  const points = [READ, WRITE].flatMap((words) => CUTS.map((when) => [words, when] as const));

  test.each(points)(
    '"completed" is lost at %s, %s: nothing is half done, and nobody declines it',
    async (words, when) => {
      const paymentId = await sentPayment(store);
      const cut = proxy.cut(when, words);
      await expect(look(cutStore, paymentId, recordOf(paymentId, 'completed'))).rejects.toThrow();
      await cut;
      // Written wholly or not at all; what the look would have said nobody has heard.
      const { seen, attentionSince } = await factsOf(paymentId);
      expect([undefined, 'completed']).toContain(seen.last?.state);
      expect(seen.completedAt === undefined).toBe(seen.last === undefined);
      expect(attentionSince).toBeUndefined();

      // Later looks get no answer, and a person is asked: they cannot decline it on the ground of what is not known.
      await look(store, paymentId, UNREADABLE);
      const decision = await end(store, paymentId, decided({ decision: 'declined', providerCase: 'C-1' }));
      expect(decision.kind === 'refused' || (decision.kind === 'closed' && decision.outcome.kind === 'paid')).toBe(
        true,
      );
    },
  );

  test.each(points)('the same look again, after %s, %s: it is known', async (words, when) => {
    const paymentId = await sentPayment(store);
    const cut = proxy.cut(when, words);
    const attempt = () => cutStore.payments.look(paymentId, observed(recordOf(paymentId, 'completed')), BY);
    await expect(attempt()).rejects.toThrow();
    await cut;
    const said = await attempt().catch(attempt);
    expect(said).toMatchObject({ verdict: { kind: 'paid' } });
    expect(await factsOf(paymentId)).toEqual(said.facts);
  });

  test('a dispute that cannot be raised leaves what was seen unwritten, too', async () => {
    const paymentId = await sentPayment(store);
    await endAs(store, paymentId, 'failed');
    const before = await factsOf(paymentId);
    const cut = proxy.cut('before-forwarding', 'INSERT INTO disputes');
    await expect(look(cutStore, paymentId, recordOf(paymentId, 'completed'))).rejects.toThrow();
    await cut;
    expect(await factsOf(paymentId)).toEqual(before);
    await look(cutStore, paymentId, recordOf(paymentId, 'completed'));
    expect(await factsOf(paymentId)).toMatchObject({ closed: { disputed: true } });
  });

  test('a database that only reads: the look fails each time, and no decision rests on it', async () => {
    const paymentId = await sentPayment(store);
    await look(store, paymentId, UNREADABLE);
    const url = new URL(database.url);
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    const reader = storeAt(url.toString());
    await expect(look(reader, paymentId, recordOf(paymentId, 'completed'))).rejects.toThrow('read-only');
    await expect(end(reader, paymentId, decided())).rejects.toThrow('read-only');
    await reader.close();
    expect((await factsOf(paymentId)).seen).toEqual({});
    expect(await end(store, paymentId, decided({ decision: 'declined', providerCase: 'C-1' }))).toMatchObject({
      kind: 'refused',
      because: expect.stringContaining('has not answered just now'),
    });
  });
});

test('a claimed payment is judged by nobody while it is being sent', async () => {
  const paymentId = await registeredPayment(store);
  await claim(store, paymentId);
  const { verdict, facts } = await look(store, paymentId, recordOf(paymentId, 'completed'));
  expect(verdict).toMatchObject({ kind: 'open', lookAgainIn: expect.any(Number) });
  expect(facts.attentionSince).toBeUndefined();
});
