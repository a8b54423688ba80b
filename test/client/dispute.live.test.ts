import { BillPayments, DisputeNotFound, EngineUnavailable, Refused } from '../../src/client';
import { runBillpay } from '../support/billpay';
import { BECAUSE, declinedPayment, disputed, disputeRun } from '../support/disputes';
import { outcomeOf, startFlow, type Flow } from '../support/flow';

/** G5: what operators and backends do with a dispute, by the client and by `billpay`. */

let flow: Flow;
beforeAll(async () => {
  flow = await startFlow();
});

const AGREED = { agreed: 'paid', operator: 'amina', note: 'finance has the receipt' } as const;

async function billpay(...args: readonly string[]) {
  const { code, out, err } = await runBillpay(args, {
    connect: () => Promise.resolve(new BillPayments(flow.client)),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('the client', () => {
  test('shows the dispute, resolves it once, and answers the same decision sent again as the first time', async () => {
    const paymentId = await disputed(flow);
    const dispute = flow.payments.dispute(paymentId);
    const recorded = await outcomeOf(flow, paymentId);
    expect(await dispute.progress()).toMatchObject({
      paymentId,
      raisedBy: 'look',
      because: BECAUSE,
      recorded,
    });
    const decision = { ...AGREED, requestId: 'request-1' };
    const [first, second] = await Promise.all([dispute.resolve(decision), dispute.resolve(decision)]);
    expect(first).toMatchObject({ resolution: AGREED, recorded });
    expect(second).toEqual(first);
    expect(await dispute.resolve(decision)).toEqual(first);
    expect(await dispute.resolve(AGREED)).toEqual(first);
    expect(await flow.store.operatorActions.list(paymentId)).toHaveLength(1);

    const other = dispute.resolve({ ...AGREED, agreed: 'not-paid', operator: 'juma' });
    await expect(other).rejects.toThrow(Refused);
    await expect(other).rejects.toThrow(/resolved already: amina has recorded "paid"/);
    expect(await outcomeOf(flow, paymentId)).toEqual(recorded);
  });

  test('a refusal is an error with the sentence', async () => {
    const paymentId = await disputed(flow);
    const empty = flow.payments.dispute(paymentId).resolve({ ...AGREED, note: '' });
    await expect(empty).rejects.toThrow(Refused);
    await expect(empty).rejects.toThrow(/"note" must be why/);
  });

  test('a payment without a dispute', async () => {
    const dispute = flow.payments.dispute(await declinedPayment(flow));
    await expect(dispute.progress()).rejects.toThrow(DisputeNotFound);
    await expect(dispute.resolve(AGREED)).rejects.toThrow(DisputeNotFound);
  });

  test('no worker: said, and nothing is done', async () => {
    const own = await startFlow();
    const paymentId = await disputed(own);
    await own.stopWorker();
    await expect(own.payments.dispute(paymentId).progress()).rejects.toThrow(EngineUnavailable);
    expect((await own.store.disputes.find(paymentId))?.resolution).toBeUndefined();
  });
});

describe('billpay', () => {
  test('shows a dispute, resolves it, and says with the status that there is one', async () => {
    const paymentId = await disputed(flow);
    const shown = await billpay('dispute', paymentId);
    expect(shown).toMatchObject({ code: 3, err: '' });
    expect(shown.out).toContain(BECAUSE);
    expect(shown.out).toContain(`billpay dispute-resolve ${paymentId} --paid|--not-paid`);

    const status = await billpay('status', paymentId);
    expect(status.code).toBe(2);
    expect(status.out).toMatch(/^Payment .*\nDeclined at submission\./);
    expect(status.out).toContain(`Dispute of payment ${paymentId}`);

    const by = ['--operator', 'amina', '--note', 'finance has the receipt', '--case', 'AP-1'];
    expect(await billpay('dispute-resolve', paymentId, ...by)).toMatchObject({ code: 64 });
    expect(await billpay('dispute-resolve', paymentId, '--paid', '--not-paid', ...by)).toMatchObject({ code: 64 });
    const resolved = await billpay('dispute-resolve', paymentId, '--not-paid', ...by);
    expect(resolved).toMatchObject({ code: 0, err: '' });
    expect(resolved.out).toMatch(/Resolved as not-paid at .*\n {2}By: amina\n {2}Note: finance.*\n {2}Case: AP-1/);
    expect(await disputeRun(flow, paymentId).result()).toMatchObject({ agreed: 'not-paid' });
    expect(await billpay('dispute', paymentId)).toMatchObject({ code: 0 });
    const again = await billpay('--json', 'dispute', paymentId);
    expect(JSON.parse(again.out)).toMatchObject({ event: 'dispute', paymentId, resolution: { agreed: 'not-paid' } });
  });

  test('a payment without a dispute', async () => {
    const paymentId = await declinedPayment(flow);
    expect(await billpay('dispute', paymentId)).toMatchObject({
      code: 66,
      err: expect.stringContaining('no dispute') as string,
    });
    expect((await billpay('status', paymentId)).out).not.toContain('Dispute');
  });
});
