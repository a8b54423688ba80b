import { claimable } from '../../src/payment/claim';
import { lookOn, type Told } from '../../src/payment/look';
import type { CheckedRequest } from '../../src/payment/request';
import {
  AnswerTooOld,
  ImpossibleRequest,
  type Claimed,
  type Merchant,
  type Observed,
  type Payments,
  type Reading,
} from '../../src/store';
import { expectedOf, readingOf, SEALED } from '../../src/store/facts';
import { filledReceipt } from '../../src/store/values';
import { raise } from './disputes';
import { hold } from './funds';
import type { StoreModelOptions } from './options';
import { recordModelOutcome } from './record-outcome';
import {
  outcomeOf,
  paymentOf,
  RefusedByDatabase,
  selected,
  stored,
  update,
  type PaymentRow,
  type Tables,
} from './tables';

/** Each call reads its row, asks the product's rules, and writes, at once: nobody is ever overtaken. */
export function modelPayments(tables: Tables, options: StoreModelOptions): Payments {
  const { now, bugs = {} } = options;
  const read = (paymentId: string, by: Merchant): Reading =>
    readingOf(selected(tables, paymentOf(tables, paymentId), now()), by);

  return {
    async register(request, fingerprint, rules, by) {
      const { paymentId } = request;
      checkColumns(request);
      if (!tables.payments.has(paymentId)) {
        tables.payments.set(paymentId, {
          ...newRow(request),
          fingerprint,
          rules: stored(rules),
          registered_at: new Date(now()),
        });
      }
      const reading = read(paymentId, by);
      if (reading.fingerprint !== fingerprint) return { kind: 'conflict' };
      const { closed } = reading.facts;
      return closed === undefined ? { kind: 'open', reading } : { kind: 'closed', ...closed };
    },

    read: async (paymentId, by) => read(paymentId, by),

    async look(paymentId, observed, by, unwritten) {
      const payment = paymentOf(tables, paymentId);
      const { facts, now: at } = read(paymentId, by);
      const looked = lookOn(facts, {
        expected: expectedOf(selected(tables, payment, at)),
        ...toldBy(observed, at),
        unwritten: unwritten && toldBy(unwritten, at),
        now: at,
        account: by.account,
      });
      const { seen, attentionSince, afterEnd } = looked;
      if (seen !== facts.seen || attentionSince !== facts.attentionSince) {
        const receipt = afterEnd?.kind === 'receipt' ? stored(filledReceipt(afterEnd.receipt)) : {};
        update(payment, {
          seen: stored(seen),
          attention_since: attentionSince === undefined ? null : new Date(attentionSince),
          receipt: { ...receipt, ...payment.receipt },
        });
        if (afterEnd?.kind === 'contradicts') raise(tables, paymentId, { by: 'look', because: afterEnd.because }, at);
      }
      if (looked.kind === 'too-old') throw new AnswerTooOld(paymentId);
      const { facts: known } = read(paymentId, by);
      return { facts: known, verdict: looked.verdict, at, said: observed.observation.said };
    },

    async claim(paymentId, reading, request, by) {
      const { nonce, fingerprint } = request;
      if (nonce === SEALED || nonce === '') throw new ImpossibleRequest('a nonce must be of this attempt alone');
      const payment = paymentOf(tables, paymentId);
      const known = reading.version === payment.version ? reading : read(paymentId, by);
      const may = claimable(known.facts, fingerprint === known.fingerprint);
      if (may.kind === 'other-content') return may;
      if (may.kind !== 'claimable') return { kind: 'not-claimed', because: may.kind };
      return take(payment, request, by);
    },

    async answered(paymentId, nonce, submission, by) {
      const payment = paymentOf(tables, paymentId);
      if (payment.claimed_by === nonce && payment.answer === null) {
        if (nonce === SEALED) throw new RefusedByDatabase('23514', 'answer_of_a_claim');
        update(payment, { answer: { ...stored(submission), at: Math.floor(now()) } });
      }
      return read(paymentId, by);
    },

    recordOutcome: (paymentId, ending, by) => recordModelOutcome(tables, options, paymentId, ending, by),

    async addReceipt(paymentId, receipt) {
      const payment = tables.payments.get(paymentId);
      if (payment === undefined || outcomeOf(payment)?.kind !== 'paid') return false;
      const added = { ...stored(filledReceipt(receipt)), ...payment.receipt };
      if (Object.keys(added).length === Object.keys(payment.receipt).length) return false;
      update(payment, { receipt: added });
      return true;
    },
  };

  function take(
    payment: PaymentRow,
    { nonce, fingerprint, sessionExpiresAt }: Parameters<Payments['claim']>[2],
    { account }: Merchant,
  ): Claimed {
    const isFree = payment.claimed_at === null && (payment.outcome === null || bugs.noSeal === true);
    if (!isFree || payment.fingerprint !== fingerprint) return { kind: 'not-claimed', because: 'taken' };
    const held = hold(tables, payment);
    if (held !== 'held') return { kind: 'no-funds', reason: held };
    update(payment, {
      claimed_at: new Date(now()),
      claimed_by: nonce,
      claim_account: account,
      session_expires_at: sessionExpiresAt,
    });
    return { kind: 'claimed' };
  }
}

function checkColumns({ paymentId, amount }: CheckedRequest): void {
  if (!/^[a-z0-9-]{8,36}$/.test(paymentId)) throw new RefusedByDatabase('23514', 'payments_payment_id_check');
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new RefusedByDatabase('23514', 'payments_amount_check');
}

const newRow = ({ paymentId, serviceId, accountNumber, amount, currency, fundingAccount }: CheckedRequest) => ({
  payment_id: paymentId,
  service_id: serviceId,
  account_number: accountNumber,
  amount: String(amount),
  currency,
  funding_account: fundingAccount ?? null,
  claimed_at: null,
  claimed_by: null,
  claim_account: null,
  session_expires_at: null,
  answer: null,
  seen: {},
  attention_since: null,
  outcome: null,
  receipt: {},
  disputed_at: null,
  version: 1,
});

const toldBy = ({ observation, askedAgo, answeredAgo }: Observed, now: number): Told => ({
  observation: stored(observation),
  when: { askedAt: Math.floor(now - askedAgo()), answeredAt: Math.ceil(now - answeredAgo()) },
});
