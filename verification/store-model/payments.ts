import { weighCallbacks } from '../../src/payment/callback-evidence';
import { claimable } from '../../src/payment/claim';
import { decide } from '../../src/payment/decide';
import { isOutcomeOf, type Ending } from '../../src/payment/ending';
import type { Facts } from '../../src/payment/facts';
import { judge } from '../../src/payment/judge';
import { lookOn, type Told } from '../../src/payment/look';
import type { Receipt } from '../../src/payment/observation';
import type { BillPaymentOutcome } from '../../src/payment/outcome';
import type { CheckedRequest } from '../../src/payment/request';
import type { Expected } from '../../src/payment/seen';
import type { RecordResult } from '../../src/payment/steps';
import {
  AnswerTooOld,
  ImpossibleRequest,
  UnknownPayment,
  type Claimed,
  type ClaimRequest,
  type Merchant,
  type Observed,
  type Payments,
  type Reading,
} from '../../src/store';
import { actionOf } from '../../src/store/record-outcome';
import { filledReceipt, outcomeAsStored, readOutcome, writeOutcome, type StoredOutcome } from '../../src/store/values';
import { recordModelAction } from './actions';
import { raise } from './disputes';
import { availableFor, hold, settle } from './funds';
import type { StoreModelOptions } from './options';
import { callbacksOf, columnsOf, RefusedByDatabase, stored, type PaymentRow, type Tables } from './tables';

/** `payments` in memory: each call reads, asks the shipped rules, and writes, at one moment. */
export function modelPayments(tables: Tables, options: StoreModelOptions): Payments {
  const { now } = options;
  const known = (paymentId: string): PaymentRow => {
    const row = tables.payments.get(paymentId);
    if (row === undefined) throw new UnknownPayment(paymentId);
    return row;
  };
  const read = (row: PaymentRow, by: Merchant): Reading => readingOf(tables, row, by, now());

  return {
    async register(request, fingerprint, rules, by) {
      checkColumns(request);
      const { paymentId, serviceId, accountNumber, amount, currency, fundingAccount } = request;
      const row: PaymentRow = tables.payments.get(paymentId) ?? {
        ...{ paymentId, fingerprint, serviceId, accountNumber, amount, currency, rules: stored(rules) },
        ...(fundingAccount !== undefined && { fundingAccount }),
        ...{ registeredAt: now(), claim: { kind: 'free' }, seen: {}, receipt: {}, version: 1 },
      };
      tables.payments.set(paymentId, row);
      if (row.fingerprint !== fingerprint) return { kind: 'conflict' };
      const reading = read(row, by);
      const { closed } = reading.facts;
      return closed === undefined ? { kind: 'open', reading } : { kind: 'closed', ...closed };
    },

    read: async (paymentId, by) => read(known(paymentId), by),

    async look(paymentId, observed, by, unwritten) {
      const row = known(paymentId);
      const { facts: before } = read(row, by);
      const looked = lookOn(before, {
        ...toldBy(observed, now()),
        unwritten: unwritten && toldBy(unwritten, now()),
        ...{ expected: expectedOf(row), now: now(), account: by.account },
      });
      const { seen } = looked;
      const { attentionSince, afterEnd } = looked.kind === 'looked' ? looked : { ...before, afterEnd: undefined };
      if (seen !== before.seen || attentionSince !== before.attentionSince) row.version += 1;
      row.seen = stored(seen);
      if (attentionSince !== undefined) row.attentionSince = attentionSince;
      if (looked.kind === 'too-old') throw new AnswerTooOld(paymentId);
      if (afterEnd?.kind === 'receipt') fill(row, afterEnd.receipt);
      if (afterEnd?.kind === 'contradicts') raise(tables, paymentId, { by: 'look', because: afterEnd.because }, now());
      const { facts } = read(row, by);
      return { facts, verdict: judge(facts, now()), at: now(), said: observed.observation.said };
    },

    claim: async (paymentId, reading, request, by) => claim(tables, options, known(paymentId), reading, request, by),

    async answered(paymentId, nonce, submission, by) {
      const row = known(paymentId);
      if (row.claim.kind === 'taken' && row.nonce === nonce && row.claim.answer === undefined) {
        row.claim = { ...row.claim, answer: { ...stored(submission), at: now() } };
        row.version += 1;
      }
      return read(row, by);
    },

    recordOutcome: (paymentId, ending, by) => recordOutcome(tables, options, known(paymentId), ending, by),

    async addReceipt(paymentId, receipt) {
      const row = tables.payments.get(paymentId);
      return row?.outcome?.kind === 'paid' && fill(row, receipt);
    },
  };
}

function checkColumns({ paymentId, amount }: CheckedRequest): void {
  if (!/^[a-z0-9-]{8,36}$/.test(paymentId)) throw new RefusedByDatabase('23514', 'payments_payment_id_check');
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new RefusedByDatabase('23514', 'payments_amount_check');
}

const expectedOf = ({ paymentId, accountNumber, amount, currency }: PaymentRow): Expected => ({
  paymentId,
  accountNumber,
  amount,
  currency,
});

function readingOf(tables: Tables, row: PaymentRow, by: Merchant, now: number): Reading {
  const available = availableFor(tables, row);
  return {
    facts: factsOf(tables, row, by),
    now,
    version: row.version,
    fingerprint: row.fingerprint,
    ...(available !== undefined && { available }),
  };
}

function factsOf(tables: Tables, row: PaymentRow, by: Merchant): Facts {
  const { paymentId, amount, currency, fundingAccount, rules, registeredAt, claim, seen, attentionSince } = row;
  const outcome = readOutcome(columnsOf(row));
  const readings = callbacksOf(tables, paymentId).map(({ reading }) => reading);
  const isStrict = rules.failedWithoutCode === 'ask' || by.failedWithoutCode === 'ask';
  return {
    ...{ paymentId, amount, currency, registeredAt, claim, seen },
    ...(fundingAccount !== undefined && { fundingAccount }),
    rules: { ...rules, failedWithoutCode: isStrict ? 'ask' : 'decline' },
    callbacks: weighCallbacks(expectedOf(row), readings, (tables.overflowed.get(paymentId) ?? 0) > 0),
    ...(attentionSince !== undefined && { attentionSince }),
    ...(outcome !== undefined && { closed: { outcome, disputed: row.disputedAt !== undefined } }),
  };
}

const toldBy = ({ observation, askedAgo, answeredAgo }: Observed, now: number): Told => ({
  observation: stored(observation),
  when: { askedAt: now - askedAgo(), answeredAt: now - answeredAgo() },
});

function claim(
  tables: Tables,
  { now, bugs = {} }: StoreModelOptions,
  row: PaymentRow,
  reading: Reading,
  { nonce, fingerprint, sessionExpiresAt }: ClaimRequest,
  by: Merchant,
): Claimed {
  if (nonce === 'sealed' || nonce === '') throw new ImpossibleRequest('a nonce must be of this attempt alone');
  // Only what has not changed since it was read is taken: else it is read again, at this moment.
  const { facts } = row.version === reading.version ? reading : readingOf(tables, row, by, now());
  const may = claimable(facts, fingerprint === row.fingerprint);
  const isUnsealed = bugs.noSeal === true && row.claim.kind === 'sealed';
  if (may.kind === 'other-content') return may;
  if (may.kind !== 'claimable' && !isUnsealed) return { kind: 'not-claimed', because: may.kind };
  if (!hold(tables, row)) {
    const reason = availableFor(tables, row) === undefined ? 'unknown-funding-account' : 'insufficient-funds';
    return { kind: 'no-funds', reason };
  }
  row.claim = { kind: 'taken', at: now(), account: by.account, sessionExpiresAt: sessionExpiresAt.getTime() };
  row.nonce = nonce;
  row.version += 1;
  return { kind: 'claimed' };
}

async function recordOutcome(
  tables: Tables,
  options: StoreModelOptions,
  row: PaymentRow,
  ending: Ending,
  by: Merchant,
): Promise<RecordResult> {
  const now = options.now();
  const { facts } = readingOf(tables, row, by, now);
  const decision = decide(facts, ending, { now, provider: by.provider });
  if (decision.kind === 'closed' || decision.kind === 'refused') return decision;
  if (decision.kind === 'open') {
    const verdict = judge(facts, now);
    if (verdict.kind === 'open' && verdict.ask !== undefined && row.attentionSince === undefined) {
      row.attentionSince = now;
      row.version += 1;
    }
    const known = factsOf(tables, row, by);
    return { kind: 'open', look: { facts: known, verdict: judge(known, now), at: now } };
  }
  const { outcome } = decision;
  const action = isOutcomeOf(outcome, ending) ? actionOf(ending) : undefined;
  const isForgotten = action !== undefined && outcome.kind === 'paid' && row.claim.kind === 'free';
  if (isForgotten && !hold(tables, row))
    return {
      kind: 'refused',
      because: `${row.fundingAccount} does not hold the ${row.currency} ${row.amount} that were paid: add the money first.`,
    };
  if (action !== undefined) recordModelAction(tables, row, action, new Date(now));
  await end(tables, options, row, outcome);
  return { kind: 'closed', outcome: outcomeAsStored(outcome), disputed: false };
}

async function end(
  tables: Tables,
  { bugs = {}, betweenSteps }: StoreModelOptions,
  row: PaymentRow,
  outcome: BillPaymentOutcome,
): Promise<void> {
  const { paymentId } = row;
  const owed = outcome.kind === 'paid' ? outcome.amount : 0;
  if (bugs.twoStepRecord !== true) settle(tables, paymentId, owed);
  const columns = writeOutcome(outcome);
  row.outcome = JSON.parse(columns.outcome) as StoredOutcome;
  row.receipt = JSON.parse(columns.receipt) as Receipt;
  if (row.claim.kind === 'free') row.claim = { kind: 'sealed' };
  row.version += 1;
  for (const callback of callbacksOf(tables, paymentId)) callback.namedBy ??= 'close';
  if (bugs.twoStepRecord !== true) return;
  await betweenSteps?.(paymentId);
  settle(tables, paymentId, owed);
}

/** Empty fields only; false when there was nothing to fill. */
function fill(row: PaymentRow, receipt: Receipt): boolean {
  const added = { ...stored(filledReceipt(receipt)), ...row.receipt };
  if (Object.keys(added).length === Object.keys(row.receipt).length) return false;
  row.receipt = added;
  row.version += 1;
  return true;
}
