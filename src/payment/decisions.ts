import { mismatches, type Expected, type Look } from './look';
import type { BillPaymentOutcome } from './outcome';
import type { Resolution } from './progress';
import type { Facts } from './verdict';

/**
 * What people may decide (design §7.6). Pure; each refusal is a sentence for the dialog it is read in. The arguments come from a
 * text box, so nothing about their shape is taken for granted.
 */

/** A POST that is still on its way dies with its token; a margin for clocks that differ. */
const TOKEN_MARGIN = 5 * 60_000;

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown, max: number): boolean =>
  typeof value === 'string' && value.trim() !== '' && value.length <= max;

const asFields = (argument: unknown): Fields | undefined =>
  typeof argument === 'object' && argument !== null && !Array.isArray(argument) ? (argument as Fields) : undefined;

export function statusCheckProblem(argument: unknown): string | undefined {
  const fields = asFields(argument);
  if (fields === undefined) return 'Send one JSON object, such as {"operator":"YOUR NAME"}.';
  return isText(fields['operator'], 100) ? undefined : '"operator" must say who you are (1 to 100 characters).';
}

export function cancellationProblem(argument: unknown): string | undefined {
  const fields = asFields(argument);
  if (fields === undefined) return 'Send one JSON object, such as {"operator":"YOUR NAME","note":"WHY"}.';
  return (
    statusCheckProblem(fields) ??
    (isText(fields['note'], 500) ? undefined : '"note" must say why (1 to 500 characters).')
  );
}

export function resolutionProblem(argument: unknown, requested: number): string | undefined {
  const fields = asFields(argument);
  if (fields === undefined)
    return 'Send one JSON object, such as {"decision":"paid","operator":"YOUR NAME","note":"WHO CONFIRMED, HOW","receiptNumber":"…"}.';
  const { decision, amount, receiptNumber, token, providerCase } = fields;
  if (decision !== 'paid' && decision !== 'declined') return '"decision" must be "paid" or "declined".';
  const who = cancellationProblem(fields);
  if (who !== undefined) return who;
  if (amount !== undefined) {
    if (decision === 'declined') return '"amount" goes with "paid" only: a declined payment gives everything back.';
    if (!Number.isSafeInteger(amount) || (amount as number) <= 0 || (amount as number) > requested)
      return `"amount" must be a whole number from 1 to ${requested}: what was really paid.`;
  }
  if (receiptNumber !== undefined && !isText(receiptNumber, 100))
    return '"receiptNumber" must be a text of 1 to 100 characters, or be left out.';
  if (token !== undefined && !isText(token, 200))
    return '"token" must be a text of 1 to 200 characters, or be left out.';
  if (providerCase !== undefined && !isText(providerCase, 100))
    return '"providerCase" must be a text of 1 to 100 characters, or be left out.';
  return undefined;
}

export function disputeResolutionProblem(argument: unknown): string | undefined {
  const fields = asFields(argument);
  if (fields === undefined)
    return 'Send one JSON object, such as {"agreed":"paid","operator":"YOUR NAME","note":"WHO AGREED, WHAT FOLLOWS"}.';
  const { agreed, providerCase } = fields;
  if (agreed !== 'paid' && agreed !== 'not-paid')
    return '"agreed" must be "paid" or "not-paid": what was true of the bill.';
  const who = cancellationProblem(fields);
  if (who !== undefined) return who;
  return providerCase === undefined || isText(providerCase, 100)
    ? undefined
    : '"providerCase" must be a text of 1 to 100 characters, or be left out.';
}

/** Why this payment cannot be declined now, in the light of a look just made. */
export function declineProblem(
  expected: Expected,
  facts: Facts,
  look: Look | undefined,
  { providerCase }: Resolution,
  now: number,
): string | undefined {
  const seen = look?.observation;
  if (seen?.kind === 'record' && seen.state === 'completed') {
    const foreign = facts.sent === 'not-by-us' && mismatches(expected, seen).length > 0;
    if (!foreign)
      return `Almara Pay says ${seen.said}: it cannot be declined. If their record is wrong, have them correct it first.`;
  }
  const wasCompleted = facts.sent !== 'not-by-us' && (facts.completedSeen || look?.completedSeen === true);
  if (wasCompleted && seen?.kind !== 'record')
    return `Almara Pay has said before that it is completed, and does not say now what became of it (${seen?.said ?? 'no answer'}). Decline it only when they answer again.`;
  if (seen?.kind === 'record' && seen.state === 'failed') return undefined;
  if (providerCase === undefined) {
    return `Almara Pay does not say that it failed (${seen?.said ?? 'no answer'}). To decline it all the same, name their written confirmation in "providerCase".`;
  }
  if (facts.sent === 'not-by-us' && look !== undefined && look.claim === undefined) return undefined;
  if (look?.claim === undefined)
    return 'It cannot be checked now whether the request can still arrive: the store did not answer. Try again in a minute.';
  const deadAt = Date.parse(look.claim.tokenExpiresAt) + TOKEN_MARGIN;
  return now < deadAt
    ? `The request may still be on its way until ${new Date(deadAt).toISOString().slice(0, 16).replace('T', ' ')} UTC, when its token is dead for sure. Decline it after that.`
    : undefined;
}

/** For somebody whom `BILLPAY_OPERATORS` does not name. */
export const mayNotDecide = (operator: string): string =>
  `${operator} may not decide here: BILLPAY_OPERATORS on the worker names who may. Nothing was changed.`;

/** Whether what is recorded is this very decision: it may be asked again after its answer was lost. */
export function isDecisionOf(
  outcome: BillPaymentOutcome,
  { decision, operator, note, amount, receiptNumber, token, providerCase }: Resolution,
): boolean {
  if (outcome.kind !== decision || outcome.evidence.source !== 'operator') return false;
  const { evidence } = outcome;
  if (evidence.operator !== operator || evidence.note !== note || evidence.providerCase !== providerCase) return false;
  if (outcome.kind !== 'paid') return true;
  const { receipt } = outcome;
  const asked: readonly (readonly [asked: unknown, recorded: unknown])[] = [
    [amount, outcome.amount],
    [receiptNumber, receipt.number],
    [token, receipt.token],
  ];
  return asked.every(([value, recorded]) => value === undefined || value === recorded);
}

/** For somebody whose decision came too late: who, or what, has ended it. */
export function endedBy(outcome: BillPaymentOutcome): string {
  const isDecided = outcome.kind !== 'cancelled' && outcome.evidence.source === 'operator';
  const by = isDecided ? `${outcome.evidence.operator} has decided, ` : '';
  return `${by}it is closed already as ${outcome.kind}. ${outcome.summary}`;
}
