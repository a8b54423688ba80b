import type { Receipt } from './observation';
import type { OutcomeWithoutReceipt } from './outcome';
import { holds, isLeftOut } from './planted';
import { isOfAnother, type Answer } from './seen';

/** What an answer of the provider says about a payment that has ended. Its outcome stands, whatever it is. */
export type AfterEnd =
  | { readonly kind: 'agrees' }
  /** It fills what the receipt of a paid payment does not have yet. */
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  /** People must settle it: in words, without personal data. */
  | { readonly kind: 'contradicts'; readonly because: string };

const AGREES: AfterEnd = { kind: 'agrees' };

/** As it was recorded: a receipt may be added later. */
export type RecordedOutcome = OutcomeWithoutReceipt & { readonly receipt?: Receipt };

export function compareAfterEnd(outcome: RecordedOutcome, answer: Answer): AfterEnd {
  if (isLeftOut('a contradiction after the end is disputed')) return AGREES;
  const contradicts = (says: string): AfterEnd => ({
    kind: 'contradicts',
    because: `Recorded as ${outcome.kind === 'paid' ? `paid ${outcome.currency} ${outcome.amount}` : outcome.kind}; the provider says ${says}`,
  });
  if (outcome.kind !== 'paid') {
    if (answer.state !== 'completed') return AGREES;
    // Who declined somebody else's record of what was never sent had it before their eyes.
    const isForeign = answer.differs.length > 0;
    const byPerson = outcome.kind === 'declined' && outcome.settledBy === 'operator' && outcome.step === 'submission';
    return isForeign && byPerson ? AGREES : contradicts([answer.said, ...answer.differs].join('; '));
  }
  // It says nothing about this payment, and reconciliation shows it to people.
  if (isOfAnother(answer)) return AGREES;
  // A failed answer that was under way when it ended is older than what ended it.
  if (answer.state === 'failed') {
    const isNews = holds('a failure from before the end is no news', answer.askedAt > Date.parse(outcome.closedAt));
    return isNews ? contradicts(answer.said) : AGREES;
  }
  if (answer.state !== 'completed') return AGREES;
  if (answer.differs.length > 0)
    // Who decided it had this record before their eyes: nothing new contradicts them.
    return outcome.settledBy === 'operator' ? AGREES : contradicts([answer.said, ...answer.differs].join('; '));
  if (answer.amount !== undefined && answer.amount !== outcome.amount)
    return contradicts(`${answer.said}, of ${outcome.currency} ${answer.amount}`);
  return compareReceipts(outcome.receipt ?? {}, answer.receipt, contradicts);
}

function compareReceipts(recorded: Receipt, told: Receipt, contradicts: (says: string) => AfterEnd): AfterEnd {
  const differs = (['number', 'token'] as const).filter(
    (field) => told[field] !== undefined && recorded[field] !== undefined && told[field] !== recorded[field],
  );
  if (differs.length > 0) return contradicts(`another receipt ${differs.join(' and ')}`);
  const isNew = (['number', 'token'] as const).some(
    (field) => told[field] !== undefined && recorded[field] === undefined,
  );
  return isNew ? { kind: 'receipt', receipt: told } : AGREES;
}
