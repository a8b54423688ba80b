import { decide } from '../../src/payment/decide';
import type { Ending } from '../../src/payment/ending';
import type { Facts } from '../../src/payment/facts';
import type { Resolution } from '../../src/payment/progress';
import { ANSWER_NAMES, at, CLAIMS, facts, POLICY, seenOf, type AnswerName, type ClaimName, type Told } from './support';

/** What a person may decide, cell by cell: against what the provider says, and in time. Decided at 1,000 s. */

const NOW = 1_000;
const asked = { attentionSince: at(10) };
const PROVIDER = 'Acme Pay';

const problemWith = (known: Facts, resolution: Partial<Resolution>, second = NOW): string | undefined => {
  const ending: Ending = {
    kind: 'decided',
    resolution: { decision: 'declined', operator: 'op-1', note: 'why', ...resolution },
  };
  const decision = decide(known, ending, { now: at(second), provider: PROVIDER });
  if (decision.kind === 'refused') return decision.because;
  expect(decision).toMatchObject({ kind: 'record', outcome: { settledBy: 'operator' } });
  return undefined;
};

describe('declining against what the provider says', () => {
  const SESSIONS = { alive: 3_600, 'dead for 4:59': NOW - 299, 'dead for 5:00': NOW - 300 } as const;
  type Session = keyof typeof SESSIONS;
  const WAYS = ['sent', 'not sent', 'free'] as const;
  const claimOf = (way: (typeof WAYS)[number], session: Session): Facts['claim'] => {
    if (way === 'free') return CLAIMS.free;
    return { ...CLAIMS[way === 'sent' ? 'unknown' : 'not sent'], sessionExpiresAt: at(SESSIONS[session]) };
  };

  const ok = undefined;
  const PAID = 'Acme Pay says completed: it cannot be declined. If their record is wrong, have them correct it first.';
  const nameIt = (said: string) =>
    `Acme Pay does not say that it failed (${said}). To decline it all the same, name their written confirmation in "providerCase".`;
  const wait = (until: string) =>
    `The request may still be on its way until ${until} UTC, when its token is dead for sure. Decline it after that.`;

  type Refusal = string | undefined;
  interface Row {
    readonly ways: readonly (typeof WAYS)[number][];
    readonly answers: readonly AnswerName[];
    readonly bare: Refusal;
    /** With `providerCase`, by session. */
    readonly named: Readonly<Record<Session, Refusal>>;
  }
  const whatever = (is: Refusal): Row['named'] => ({ alive: is, 'dead for 4:59': is, 'dead for 5:00': is });
  const onceDead = {
    alive: wait('2026-03-01 13:05'),
    'dead for 4:59': wait('2026-03-01 12:16'),
    'dead for 5:00': ok,
  };
  const COMPLETED = ['completed', 'completed without receipt', 'completed with token'] as const;
  const unsent = ['not sent', 'free'] as const;

  // prettier-ignore
  const ROWS: readonly Row[] = [
    { ways: WAYS, answers: ['failed'], bare: ok, named: whatever(ok) },
    // Of what may have been sent, only our own record says that it failed.
    { ways: ['sent'], answers: ['failed, other amount'], bare: nameIt('failed'), named: onceDead },
    { ways: unsent, answers: ['failed, other amount'], bare: ok, named: whatever(ok) },
    // Of what was not sent, only a record that is just like ours may yet be ours.
    { ways: WAYS, answers: COMPLETED, bare: PAID, named: whatever(PAID) },
    { ways: ['sent'], answers: ['completed, other amount'], bare: PAID, named: whatever(PAID) },
    { ways: unsent, answers: ['completed, other amount'], bare: nameIt('completed'), named: whatever(ok) },
    { ways: ['sent'], answers: ['pending', 'pending, other amount'], bare: nameIt('pending'), named: onceDead },
    { ways: unsent, answers: ['pending', 'pending, other amount'], bare: nameIt('pending'), named: whatever(ok) },
    { ways: ['sent'], answers: ['not found'], bare: nameIt('not found (404)'), named: onceDead },
    { ways: unsent, answers: ['not found'], bare: nameIt('not found (404)'), named: whatever(ok) },
  ];
  const CELLS = ROWS.flatMap(({ ways, answers, bare, named }) =>
    ways.flatMap((way) =>
      answers.flatMap((answer) =>
        (Object.keys(SESSIONS) as Session[]).flatMap((session) => [
          { way, answer, session, providerCase: undefined, refusal: bare },
          { way, answer, session, providerCase: 'C-1', refusal: named[session] },
        ]),
      ),
    ),
  );

  test('every cell is listed', () => {
    expect(CELLS).toHaveLength(WAYS.length * ANSWER_NAMES.length * Object.keys(SESSIONS).length * 2);
    expect(new Set(CELLS.map((cell) => JSON.stringify({ ...cell, refusal: undefined }))).size).toBe(CELLS.length);
  });

  const ask = (way: (typeof WAYS)[number], session: Session, told: readonly Told[], providerCase?: string) =>
    problemWith(facts({ ...asked, claim: claimOf(way, session), seen: seenOf(...told), rules: SLOW }), {
      ...(providerCase !== undefined && { providerCase }),
    });
  /** Nothing is proven by the same answers meanwhile: a prepaid payment waits for its token. */
  const SLOW = { policy: POLICY, prepaid: true, failedWithoutCode: 'ask' } as const;
  /** So that a free or unsent one is in use, and a completed one with its token is no proof. */
  const BEFORE: Told = [940, 'pending, other amount'];

  test.each(CELLS.filter(({ way, answer }) => !(way === 'sent' && answer === 'completed with token')))(
    '$way, $answer, session $session, case $providerCase',
    ({ way, answer, session, providerCase, refusal }) => {
      expect(ask(way, session, [BEFORE, [NOW - 10, answer]], providerCase)).toBe(refusal);
    },
  );

  test('G2: what was completed is not declined while the provider does not say what became of it', () => {
    const GONE =
      'Acme Pay has said before that it is completed, and does not know it now. Decline it only when they say what became of it.';
    const after = (way: (typeof WAYS)[number], before: AnswerName, now: AnswerName) =>
      ask(way, 'dead for 5:00', [[940, before], [NOW - 10, now]], 'C-1'); // prettier-ignore
    for (const before of ['completed', 'completed, other amount'] as const) {
      expect(after('sent', before, 'not found')).toBe(GONE);
      for (const now of ['pending', 'failed'] as const) expect(after('sent', before, now)).toBeUndefined();
    }
    // Somebody else's record of what was not sent may go as it came.
    for (const way of unsent) {
      expect(after(way, 'completed', 'not found')).toBe(GONE);
      expect(after(way, 'completed, other amount', 'not found')).toBeUndefined();
    }
  });

  test('a decline needs an answer of the last minute', () => {
    const answered = (second: number) => ask('sent', 'dead for 5:00', [[second, 'failed']], 'C-1');
    const OLD = (said: string) =>
      `Acme Pay has not answered just now, readably (last: ${said}). A decline needs their answer: try again when they answer.`;
    expect(answered(NOW - 60)).toBeUndefined();
    expect(answered(NOW - 61)).toBe(OLD('failed'));
    expect(ask('sent', 'dead for 5:00', [], 'C-1')).toBe(OLD('no answer'));
  });
});

describe('deciding in time', () => {
  const BEING_SENT =
    'It is being sent right now. Decide when its answer is there, 30 seconds after that at the latest.';
  const NOT_ASKED = 'There is nothing to decide: nobody was asked. Decisions are for payments that need attention.';

  test.each<[second: number, claim: ClaimName, is: string | undefined]>([
    [29, 'unanswered', BEING_SENT],
    [30, 'unanswered', undefined],
    [5, 'accepted', undefined],
    [5, 'unknown', undefined],
  ])('at %s s, %s', (second, claim, is) => {
    const known = facts({ claim: CLAIMS[claim], ...asked });
    expect(problemWith(known, { decision: 'paid' }, second)).toBe(is);
  });

  test('only what a person was asked is decided', () => {
    // A look is what asks: that somebody would be asked now is not enough.
    for (const decision of ['paid', 'declined'] as const)
      expect(problemWith(facts({ seen: seenOf([1_990, 'failed']) }), { decision, providerCase: 'C-1' }, 2_000)).toBe(
        NOT_ASKED,
      );
  });
});

describe('paid: how much', () => {
  const sent = facts({ ...asked, seen: seenOf([990, 'pending']) });
  const ours = { ...sent, seen: seenOf([990, 'completed']), rules: { ...sent.rules, prepaid: true } };
  const foreign = { ...sent, seen: seenOf([990, 'completed, other amount']) };
  const WHOLE = '"amount" must be a whole number from 1 to 220: what was really paid.';
  const RECORD = 'The record says that KES 220 were paid: "amount" must be that, or be left out.';

  test.each<[what: string, known: Facts, amount: number | undefined, is: string | undefined]>([
    ['all of it', sent, undefined, undefined],
    ['all of it', sent, 220, undefined],
    ['less', sent, 1, undefined],
    ['more than was asked for', sent, 221, WHOLE],
    ['nothing', sent, 0, WHOLE],
    ['a fraction', sent, 219.5, WHOLE],
    ['no number', sent, NaN, WHOLE],
    ['against our completed record', ours, 200, RECORD],
    ['as our completed record says', ours, 220, undefined],
    ['as our completed record says', ours, undefined, undefined],
    ['less, as the record that differs says', foreign, 200, undefined],
  ])('%s', (_what, known, amount, is) => {
    expect(problemWith(known, { decision: 'paid', ...(amount !== undefined && { amount }) })).toBe(is);
  });
});
