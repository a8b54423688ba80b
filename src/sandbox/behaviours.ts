import {
  BEHAVIOUR_NAMES,
  STATUS,
  type Behaviour,
  type BehaviourName,
  type CallbackContent,
  type Moment,
  type PlannedCallback,
} from './behaviour';

/**
 * What the simulated provider does, chosen by account number as with a payment provider's test cards. Data only: `rules.ts`
 * reads it, for the HTTP app as for a simulation. `README.md` prints it as a table (a test compares the two).
 */

const RESULT: Moment = ['pendingMs'];
const AFTER_RESULT: Moment = ['pendingMs', 'callbackDelayMs'];
const COMPLETED = [{ at: RESULT, status: STATUS.completed }] as const;
const FAILED = [{ at: RESULT, status: STATUS.failed }] as const;

const success: CallbackContent = { shape: 'nested', status: STATUS.completed, code: '0' };
const failure = (code: string): PlannedCallback => ({
  when: AFTER_RESULT,
  content: { shape: 'nested', status: STATUS.failed, code },
});
const paidCallback: PlannedCallback = { when: AFTER_RESULT, content: success };

/** The token of every prepaid bill. */
export const PREPAID_TOKEN = 'Token: 1234-5678-9012-3456-7890';

type Rule = Omit<Behaviour, 'name' | 'account' | 'description'>;

/** Accepted, completed, one callback: what every rule below departs from. */
const paid: Rule = {
  accountValid: true,
  captures: true,
  answer: { kind: 'accepted' },
  history: COMPLETED,
  callbacks: [paidCallback],
  looks: { kind: 'none' },
  billDue: false,
};
const never: Pick<Rule, 'captures' | 'history' | 'callbacks'> = { captures: false, history: [], callbacks: [] };

const rules: {
  readonly [Name in BehaviourName]: readonly [account: string, description: string, change: Partial<Rule>];
} = {
  'paid-with-callback': ['100001', 'Accepted, paid, one callback. Every other account does the same.', {}],
  'callback-lost': ['100002', 'Accepted and paid; the callback never comes.', { callbacks: [] }],
  'callback-before-answer': [
    '100003',
    'Paid at once; the callback is delivered and answered before the POST is answered.',
    { history: [{ at: [], status: STATUS.completed }], callbacks: [{ when: 'before-answer', content: success }] },
  ],
  'callback-three-times': [
    '100004',
    'Paid; the same callback comes three times.',
    {
      callbacks: [
        paidCallback,
        { when: [...AFTER_RESULT, 'callbackDelayMs'], content: success },
        { when: [...AFTER_RESULT, 'callbackDelayMs', 'callbackDelayMs'], content: success },
      ],
    },
  ],
  'flat-callback': [
    '100005',
    'Paid; the callback has the older flat shape.',
    { callbacks: [{ when: AFTER_RESULT, content: { ...success, shape: 'flat' } }] },
  ],
  'premature-callback': [
    '100006',
    'The callback says paid while look-ups still say pending (at least one look after it); paid later.',
    {
      history: [{ at: ['callbackDelayMs', 'pendingMs'], status: STATUS.completed }],
      callbacks: [{ when: ['callbackDelayMs'], content: success }],
      looks: { kind: 'lags-behind-callback' },
    },
  ],
  'invalid-account': [
    '200001',
    'Validation says the account is invalid; a POST gets a clear 400 (shape 1).',
    {
      ...never,
      accountValid: false,
      answer: { kind: 'invalid-field', field: 'AccountNumber', problem: 'The AccountNumber field is invalid.' },
    },
  ],
  rejected: [
    '200002',
    'The account is valid; the POST gets a clear 400 (shape 1) and is not captured.',
    {
      ...never,
      answer: {
        kind: 'invalid-field',
        field: 'Amount',
        problem: 'The Amount field is not within the limits of the biller.',
      },
    },
  ],
  'duplicate-id-rejected': [
    '200003',
    'Captured, yet answered with a 400 that names a duplicate id (shape 3); paid, with callback.',
    { answer: { kind: 'duplicate-id' } },
  ],
  'failed-refusal': [
    '300001',
    'Fails; the callback has refusal code 1.',
    { history: FAILED, callbacks: [failure('1')] },
  ],
  'failed-ambiguous': [
    '300002',
    'Fails; the callback has code 14 (inconclusive).',
    { history: FAILED, callbacks: [failure('14')] },
  ],
  'failed-callback-lost': ['300003', 'Fails; the callback never comes.', { history: FAILED, callbacks: [] }],
  'failed-then-completed': [
    '300004',
    'Fails with a callback of code 1; later completed after all, with a second callback.',
    {
      history: [...FAILED, { at: [...RESULT, 'completedLaterMs'], status: STATUS.completed }],
      callbacks: [failure('1'), { when: [...AFTER_RESULT, 'completedLaterMs'], content: success }],
    },
  ],
  'post-timeout': [
    '400001',
    'Captured; the POST is never answered. Paid, with callback.',
    { answer: { kind: 'hang' } },
  ],
  'post-reset': ['400002', 'Captured; the connection is reset. Paid, with callback.', { answer: { kind: 'reset' } }],
  'post-500': [
    '400003',
    'Captured; the POST is answered 500. Paid, with callback.',
    { answer: { kind: 'error', status: 500 } },
  ],
  'post-429': [
    '400004',
    'Captured; the POST is answered 429. Paid, with callback.',
    { answer: { kind: 'error', status: 429 } },
  ],
  'post-unreadable': [
    '400005',
    'Captured; the POST is answered 200 with JSON that breaks off. Paid, with callback.',
    { answer: { kind: 'unreadable' } },
  ],
  'reset-before-capture': [
    '400006',
    'Never captured; the connection is reset. Not found for ever.',
    { ...never, answer: { kind: 'reset' } },
  ],
  '429-before-capture': [
    '400007',
    'Never captured; the POST is answered 429. Not found for ever.',
    { ...never, answer: { kind: 'error', status: 429 } },
  ],
  'lookup-429': [
    '500001',
    'The first two look-ups of an id are answered 429 with Retry-After: 1; then paid, with callback.',
    { looks: { kind: 'refused', status: 429, times: 2 } },
  ],
  'lookup-401': [
    '500002',
    'The first look-up of an id is answered 401 although the token is valid; then paid, with callback.',
    { looks: { kind: 'refused', status: 401, times: 1 } },
  ],
  'pending-for-ever': ['500003', 'Accepted; pending for ever, no callback.', { history: [], callbacks: [] }],
  'not-found-then-paid': [
    '500004',
    'Accepted; not found for a while (at least one look), then paid. No callback.',
    { callbacks: [], looks: { kind: 'invisible-at-first' } },
  ],
  'amount-differs': [
    '500005',
    'Paid, with callback; look-ups show ten times the amount.',
    { looks: { kind: 'wrong-amount', factor: 10 } },
  ],
  'record-exists': [
    '500006',
    'Before any POST a look-up finds a completed record of another account; a POST is refused as a duplicate (shape 3).',
    { ...never, answer: { kind: 'duplicate-id' }, looks: { kind: 'foreign-record' } },
  ],
  prepaid: [
    '600001',
    'Paid; the callback has the prepaid token, look-ups have the receipt number only.',
    { callbacks: [{ when: AFTER_RESULT, content: { ...success, token: PREPAID_TOKEN } }] },
  ],
  'prepaid-callback-lost': [
    '600002',
    'Paid; the callback with the token never comes, look-ups have the receipt number only.',
    { callbacks: [] },
  ],
  'bill-due': [
    '600003',
    'A bill is open (type 1) and the account is a saved bill number; paid, with callback.',
    { billDue: true },
  ],
};

export const BEHAVIOURS: readonly Behaviour[] = BEHAVIOUR_NAMES.map((name) => {
  const [account, description, change] = rules[name];
  return { ...paid, ...change, name, account, description };
});

const byName = new Map(BEHAVIOURS.map((behaviour) => [behaviour.name, behaviour]));
const byAccount = new Map(BEHAVIOURS.map((behaviour) => [behaviour.account, behaviour]));

export function behaviourNamed(name: BehaviourName): Behaviour {
  const behaviour = byName.get(name);
  if (behaviour === undefined) throw new Error(`the sandbox has no behaviour ${name}`);
  return behaviour;
}

export function accountOf(name: BehaviourName): string {
  return behaviourNamed(name).account;
}

export function listedBehaviour(account: string): Behaviour | undefined {
  return byAccount.get(account);
}

/** Any account that is not in the table pays. */
export const ANY_OTHER_ACCOUNT = behaviourNamed('paid-with-callback');

/**
 * The behaviour an id asks for, as in `demo-500006-4f1c`: the only way to know one before the POST, since nothing that comes
 * earlier carries both the id and the account. The number must stand alone between dashes, so that no GUID asks by accident.
 */
export function behaviourInId(paymentId: string): Behaviour | undefined {
  return paymentId
    .split('-')
    .map((part) => byAccount.get(part))
    .find((behaviour) => behaviour !== undefined);
}

/** The table of the README. */
export function behaviourTable(): string {
  const rows = [
    ['Account', 'Behaviour', 'What the provider does'],
    ...BEHAVIOURS.map(({ account, name, description }) => [`\`${account}\``, `\`${name}\``, description]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], fill: string) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head, ' '), line(['', '', ''], '-'), ...body.map((row) => line(row, ' '))].join('\n');
}
