import type { AttentionReason, DeclineReason, SettledBy } from '../src/payment/outcome';
import type { BehaviourName } from '../src/sandbox';

/** What each thing the provider may do must come to. The demo and the tests hold every payment against it. */
export interface Expected {
  readonly outcome: 'paid' | 'declined' | 'needs-attention';
  /** Why it was declined, or why it needs attention. */
  readonly reason?: DeclineReason | AttentionReason;
  /** Absent: whichever comes first. */
  readonly settledBy?: SettledBy | 'none';
  /** Payment requests that reached the provider (G1), and those that it took. */
  readonly seen: 0 | 1;
  readonly captured: 0 | 1;
}

const paid = (settledBy?: SettledBy): Expected => ({
  outcome: 'paid',
  seen: 1,
  captured: 1,
  ...(settledBy && { settledBy }),
});

const needsAttention = (
  reason: AttentionReason,
  { seen = 1, captured = 1 }: { seen?: 0 | 1; captured?: 0 | 1 } = {},
): Expected => ({
  outcome: 'needs-attention',
  reason,
  seen,
  captured,
});

const declined = (reason: DeclineReason, settledBy: SettledBy | 'none', seen: 0 | 1, captured: 0 | 1): Expected => ({
  outcome: 'declined',
  reason,
  settledBy,
  seen,
  captured,
});

export const EXPECTED: { readonly [Name in BehaviourName]: Expected } = {
  'paid-with-callback': paid('callback'),
  'callback-lost': paid('poll'),
  'callback-before-answer': paid('callback'),
  'callback-three-times': paid('callback'),
  'flat-callback': paid('callback'),
  'premature-callback': paid(),
  'invalid-account': declined('account-invalid', 'none', 0, 0),
  rejected: declined('rejected', 'none', 1, 0),
  'duplicate-id-rejected': paid('callback'),
  'failed-refusal': declined('failed', 'callback', 1, 1),
  'failed-ambiguous': needsAttention('ambiguous-code'),
  'failed-callback-lost': needsAttention('failed-without-code'),
  // The residual risk: what the provider turns afterwards is raised, and changes nothing by itself.
  'failed-then-completed': declined('failed', 'callback', 1, 1),
  'post-timeout': paid('callback'),
  'post-reset': paid('callback'),
  'post-500': paid('callback'),
  'post-429': paid('callback'),
  'post-unreadable': paid('callback'),
  'reset-before-capture': needsAttention('not-found', { captured: 0 }),
  '429-before-capture': needsAttention('not-found', { captured: 0 }),
  'lookup-429': paid('callback'),
  'lookup-401': paid('callback'),
  'pending-for-ever': needsAttention('provider-silent'),
  'not-found-then-paid': paid('poll'),
  'amount-differs': needsAttention('evidence-mismatch'),
  'record-exists': needsAttention('id-in-use', { seen: 0, captured: 0 }),
  prepaid: paid('callback'),
  'prepaid-callback-lost': needsAttention('paid-without-token'),
  'bill-due': paid('callback'),
};
