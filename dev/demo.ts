import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { BillPayments } from '../src/client';
import { readLocalConfig } from '../src/config';
import { createLog } from '../src/log';
import { concurrently } from '../src/payment/concurrently';
import { SEARCH_ATTRIBUTES, workflowIdOf } from '../src/payment/contract';
import { BEHAVIOURS, SERVICES, type Behaviour } from '../src/sandbox';
import { EXPECTED } from './expected';
import { runOnStack } from './run';
import type { Stack } from './stack';

/**
 * `npm run demo [-- --json]`: pays one bill for each thing the provider may do, and holds each against what must come
 * of it. Exits 1 when one differs.
 */

/** What is waited for is short, so that the whole demo takes seconds. A payment with the defaults waits for minutes. */
const POLICY = {
  submitWithin: '1 minute',
  callbackGrace: '6 seconds',
  pollInterval: '500 milliseconds',
  pollMaxInterval: '2 seconds',
  notFoundGrace: '12 seconds',
  failureConfirmation: '1 second',
  attentionAfter: '30 seconds',
  receiptGrace: '1 second',
} as const;
const SANDBOX = { pendingMs: 300, callbackDelayMs: 200, completedLaterMs: 15_000, notFoundMs: 1_500, slowMs: 3_000 };
const FLOAT = { account: 'float-1', amount: 100_000, currency: 'KES' };
/** By then the slowest has long needed attention. */
const GIVE_UP_MS = 60_000;
/** More would only wait for each other on a small machine, and the waiting would count against the policy. */
const AT_ONCE = 8;
/** These wait for a deadline: they go first. */
const SLOWEST = ['pending-for-ever', 'reset-before-capture', '429-before-capture'];

interface Line {
  readonly account: string;
  readonly behaviour: string;
  readonly outcome: string;
  readonly settledBy: string | null;
  readonly captured: number;
  readonly ms: number;
}

const json = process.argv.includes('--json');
const say = (line: string): void => (json ? console.error(line) : console.log(line));

async function demo(stack: Stack): Promise<number> {
  const policy = Object.entries(POLICY).map(([name, value]) => `${name} ${value}`);
  say(`\nPolicy of these payments: ${policy.join(', ')}.`);
  say(`Paying ${BEHAVIOURS.length} bills, one for each thing Almara Pay may do, ${AT_ONCE} at a time …\n`);
  await stack.store.funds.add(FLOAT);
  const started = performance.now();
  const results = await payAll(stack);
  const wrong = results.filter(({ problems }) => problems.length > 0);
  if (json) for (const { line } of results) console.log(JSON.stringify(line));
  else printTable(results);
  for (const { line, problems } of wrong)
    say(styleText('red', `${line.account} ${line.behaviour}: ${problems.join('; ')}`));
  say(await fundsInWords(stack));
  say(
    wrong.length === 0
      ? `All ${results.length} as they must be, in ${seconds(performance.now() - started)}.`
      : `${wrong.length} of ${results.length} are not as they must be.`,
  );
  return wrong.length === 0 ? 0 : 1;
}

async function payAll(stack: Stack): Promise<readonly Result[]> {
  const isSlow = ({ name }: Behaviour): number => Number(SLOWEST.includes(name));
  const slowestFirst = [...BEHAVIOURS].sort((one, other) => isSlow(other) - isSlow(one));
  const results: Result[] = [];
  await concurrently(slowestFirst, AT_ONCE, async (behaviour) => void results.push(await payOne(stack, behaviour)));
  return results.sort((one, other) => one.line.account.localeCompare(other.line.account));
}

interface Result {
  readonly line: Line;
  readonly provider: string;
  readonly detail: string;
  readonly problems: readonly string[];
}

async function payOne(stack: Stack, { name, account, description }: Behaviour): Promise<Result> {
  const started = performance.now();
  const payments = new BillPayments(stack.client);
  const service = SERVICES.find(
    ({ serviceTypeDescription }) =>
      serviceTypeDescription === (name.startsWith('prepaid') ? 'KPLC PREPAID' : 'KPLC POSTPAID'),
  );
  // The sandbox reads the account in the id, for what must happen before it sees the account itself.
  const paymentId = `demo-${account}-${randomUUID().slice(0, 8)}`;
  const payment = await payments.start({
    paymentId,
    serviceId: service?.serviceId ?? '',
    serviceName: service?.serviceTypeDescription ?? '',
    accountNumber: account,
    amount: 220,
    payer: { name: 'Demo Payer', msisdn: '254712345678' },
    description: 'Demo',
    fundingAccount: FLOAT.account,
    policy: POLICY,
  });

  const end = await endOf(stack, paymentId);
  const ms = Math.round(performance.now() - started);
  const { postsSeen, postsCaptured } = stack.sandbox.payment(paymentId);
  const progress = await payment.progress();
  const { outcome } = progress;
  const reason = outcome?.kind === 'declined' ? outcome.reason : progress.reason;
  const settledBy = outcome === undefined || outcome.kind === 'cancelled' ? null : outcome.settledBy;
  const line: Line = {
    account,
    behaviour: name,
    outcome: outcome?.kind ?? end,
    settledBy,
    captured: postsCaptured,
    ms,
  };

  const expected = EXPECTED[name];
  const problems = [
    differs('outcome', line.outcome, expected.outcome),
    expected.reason === undefined ? undefined : differs('reason', reason, expected.reason),
    expected.settledBy === undefined ? undefined : differs('settled by', settledBy, expected.settledBy),
    differs('payment requests seen', postsSeen, expected.seen),
    differs('payment requests captured', postsCaptured, expected.captured),
  ].filter((problem) => problem !== undefined);
  return { line, provider: description, detail: reason ?? '', problems };
}

const differs = (what: string, is: unknown, mustBe: unknown): string | undefined =>
  is === mustBe ? undefined : `${what} is ${String(is)} and must be ${String(mustBe)}`;

/** Watches the state as an operator's list shows it, until it is final or needs attention. */
async function endOf(stack: Stack, paymentId: string): Promise<string> {
  const run = stack.client.workflow.getHandle(workflowIdOf(paymentId));
  const giveUp = performance.now() + GIVE_UP_MS;
  for (;;) {
    const { typedSearchAttributes } = await run.describe();
    const state = typedSearchAttributes.get(SEARCH_ATTRIBUTES.state);
    if (state === 'NeedsAttention') return 'needs-attention';
    if (state !== undefined && state !== 'InProgress') return state.toLowerCase();
    if (performance.now() > giveUp) return 'still open';
    await sleep(200);
  }
}

function printTable(results: readonly Result[]): void {
  const rows = results.map(({ line, provider, detail, problems }) => ({
    mark: problems.length === 0 ? styleText('green', '✓') : styleText('red', '✗'),
    cells: [
      line.account,
      provider,
      detail === '' ? line.outcome : `${line.outcome}: ${detail}`,
      line.settledBy ?? '-',
      String(line.captured),
      seconds(line.ms),
    ],
  }));
  const titles = ['Account', 'What Almara Pay did', 'Outcome', 'Settled by', 'Captured', 'Time'];
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  console.log(`  ${styleText('bold', format(titles))}`);
  for (const { mark, cells } of rows) console.log(`${mark} ${format(cells)}`);
}

async function fundsInWords({ store }: Stack): Promise<string> {
  const account = await store.funds.account(FLOAT.account);
  if (account === undefined) return 'The funding account is gone.';
  const { currency, deposited, posted, reserved, available } = account;
  return `\nFunds: ${currency} ${deposited} deposited = ${posted} posted for paid bills + ${reserved} still held + ${available} available.`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

say('Starting everything on this machine:');
void runOnStack(
  {
    log: createLog('demo', 'error'),
    progress: (line) => say(`  ${line}`),
    keep: false,
    sandbox: SANDBOX,
    allowTestPolicy: true,
    ...readLocalConfig(),
  },
  (stack, interrupted) => Promise.race([demo(stack), interrupted.then(() => 1)]),
);
