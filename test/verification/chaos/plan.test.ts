import { planRun, PROCESSES, type Deed, type Strike } from '../../../verification/chaos/plan';
import { checkRequest } from '../../../src/payment/request';
import { BEHAVIOUR_NAMES } from '../../../src/sandbox';

describe('the plan of a chaos run', () => {
  test('is a pure function of the seed and the number of payments', () => {
    expect(planRun(3, 200)).toEqual(planRun(3, 200));
    expect(planRun(3, 200)).not.toEqual(planRun(4, 200));
  });

  test('holds requests that a worker accepts, each under an id of its own', () => {
    const { payments } = planRun(1, 500);
    expect(new Set(payments.map(({ request }) => request.paymentId)).size).toBe(500);
    const problems = payments.flatMap(({ request }) => {
      const checked = checkRequest(request, { allowTestPolicy: true });
      return checked.ok ? [] : checked.problems;
    });
    expect(problems).toEqual([]);
  });

  test('a run of thousands meets every behaviour and does every deed', () => {
    const { payments } = planRun(1, 3_000);
    expect(new Set(payments.map(({ behaviour }) => behaviour))).toEqual(new Set(BEHAVIOUR_NAMES));
    const deeds: readonly Deed['kind'][] = [
      'start-again',
      'start-other-content',
      'cancel',
      'request-cancellation',
      'check-now',
      'decide-too-early',
    ];
    expect(new Set(payments.flatMap((payment) => payment.deeds.map(({ kind }) => kind)))).toEqual(new Set(deeds));
    expect(new Set(payments.map(({ operator }) => operator)).size).toBe(4);
  });

  test('a share of the strikes: fewer of them, for the same payments', () => {
    const [all, some] = [planRun(9, 2_000), planRun(9, 2_000, 0.25)];
    expect(some.payments).toEqual(all.payments);
    expect(some.strikes.length / all.strikes.length).toBeCloseTo(0.25, 1);
  });

  test.each([1, 30, 300, 4_000])(
    '%d payments: every strike at least once, in the order in which they are due, none after the last payment',
    (count) => {
      const { strikes } = planRun(9, count);
      const kinds = (kind: Strike['kind']) => strikes.filter((strike) => strike.kind === kind);
      for (const process of PROCESSES)
        expect(kinds('kill').map((strike) => 'process' in strike && strike.process)).toContain(process);
      expect(new Set(strikes.map(({ kind }) => kind))).toEqual(
        new Set(['kill', 'stall', 'lose-commit-answer', 'reset', 'terminate', 'forget']),
      );
      const times = strikes.map(({ at }) => at);
      expect(times).toEqual([...times].sort((one, other) => one - other));
      expect(Math.max(...times)).toBeLessThanOrEqual(count);
      expect(Math.min(...times)).toBeGreaterThan(0);
    },
  );
});
