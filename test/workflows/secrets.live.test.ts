import { AccessToken } from '../../src/almara/token';
import type { Provider } from '../../src/payment/provider';
import { workflowIdOf } from '../../src/payment/contract';
import type { BehaviourName } from '../../src/sandbox';
import { capturedLog, nested, send } from '../callbacks/support';
import { CREDENTIALS, historyOf, needsAttention, outcomeOf, startFlow, type Flow } from '../support/flow';
import { onDatabase } from '../support/postgres';

/**
 * After payments that went every way, everything that was written down is read as a whole: each table, each history with what
 * the server shows of the run, each line of the logs, at their most talkative and without redaction.
 */

const PAYER = { name: 'Zebedayo Quillfeather', msisdn: '254799887766' };
/** No card of the sandbox: any such account pays. */
const ACCOUNT = 'QX-7788-9900-55';

const WAYS: readonly BehaviourName[] = [
  'paid-with-callback',
  'flat-callback',
  'callback-three-times',
  'invalid-account',
  'rejected',
  'failed-refusal',
  'failed-ambiguous',
  'post-500',
  'post-reset',
  'post-unreadable',
  'lookup-401',
  'lookup-429',
  'prepaid',
  'record-exists',
];
const OPEN: readonly BehaviourName[] = ['failed-ambiguous', 'record-exists'];

const log = capturedLog();
const engineLog: string[] = [];
const accessTokens = new Set<string>();
const paymentIds: string[] = [];
let flow: Flow;
let store = '';
let histories = '';

/** Notes the tokens that the provider hands out; changes nothing. */
const listening = (real: Provider): Provider =>
  Object.assign(Object.create(real) as Provider, {
    findPayment: async (...args: Parameters<Provider['findPayment']>) => {
      const found = await real.findPayment(...args);
      if (!(found.session instanceof AccessToken)) throw new Error('a session without a token');
      accessTokens.add(found.session.header().authorization.replace('Bearer ', ''));
      return found;
    },
  });

beforeAll(async () => {
  // The engine's own lines, such as the failures of activities.
  for (const stream of [process.stderr, process.stdout]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk: unknown) => {
      engineLog.push(String(chunk));
      return true;
    });
  }
  try {
    flow = await startFlow({ log: log.log, provider: listening });
    await Promise.all([payUnlisted(), ...WAYS.map(payOneWay)]);
    await strangers();
    store = await everyTable(flow.databaseUrl);
    histories = (await Promise.all(paymentIds.map(historyText))).join('\n');
  } finally {
    jest.restoreAllMocks();
  }
});

async function payUnlisted(): Promise<void> {
  const paymentId = 'unlisted-account-1';
  paymentIds.push(paymentId);
  await flow.payments.pay(flow.request('paid-with-callback', { paymentId, accountNumber: ACCOUNT, payer: PAYER }));
}

async function payOneWay(behaviour: BehaviourName): Promise<void> {
  const request = flow.request(behaviour, { payer: PAYER });
  paymentIds.push(request.paymentId);
  await flow.payments.start(request);
  if (OPEN.includes(behaviour)) await needsAttention(flow, request.paymentId);
  else await outcomeOf(flow, request.paymentId);
}

/** Callbacks that are refused, with our token and with others. */
async function strangers(): Promise<void> {
  const [paymentId = ''] = paymentIds;
  const ours = flow.callbackUrl(paymentId);
  const bodies = [nested('another-payment'), '{"broken', '[]', nested(paymentId, { resultDesc: ours })];
  for (const body of bodies) await send(ours, { method: 'POST', body });
  for (const id of paymentIds) await send(ours.replace(paymentId, id), { method: 'POST', body: nested(id) });
  await send(`${ours}/${encodeURIComponent(PAYER.name)}?phone=${PAYER.msisdn}`, { method: 'POST', body: '{}' });
}

async function everyTable(databaseUrl: string): Promise<string> {
  const rows: string[] = [];
  await onDatabase(databaseUrl, async (client) => {
    const tables = await client.query<{ name: string }>(
      "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')",
    );
    for (const { name } of tables.rows) {
      const found = await client.query<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM ${name} t`);
      rows.push(...found.rows.map(({ row }) => `${name} ${row}`));
    }
  });
  return rows.join('\n');
}

async function historyText(paymentId: string): Promise<string> {
  const { raw } = await flow.client.workflow.getHandle(workflowIdOf(paymentId)).describe();
  return `${legible(await historyOf(flow, paymentId))}\n${legible(raw)}`;
}

/** Everything in a message of the engine as text: payloads are bytes. */
function legible(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(legible).join('\n');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, inner]) => `${key}: ${legible(inner)}`)
      .join('\n');
  }
  return String(value);
}

const logs = (): string => log.text() + engineLog.join('');
const places = () => ({ store, histories, logs: logs() });
const whereIs = (text: string): string[] =>
  Object.entries(places()).flatMap(([place, content]) => (content.includes(text) ? [place] : []));
const tokenOf = (paymentId: string): string => flow.callbackUrl(paymentId).split('/').at(-1) ?? '';

test('the search finds what is there', () => {
  for (const paymentId of paymentIds)
    expect(whereIs(paymentId)).toEqual(expect.arrayContaining(['store', 'histories']));
  expect(whereIs('unlisted-account-1')).toEqual(['store', 'histories', 'logs']);
  expect(whereIs(PAYER.name)).toContain('histories');
  expect(whereIs(ACCOUNT)).toEqual(['store', 'histories']);
  expect(store).toMatch(/callback_inbox .*billRequestOutcome/);
  expect(engineLog.join('')).toContain('Activity failed');
});

test('the token of a callback URL is at the provider and nowhere else', () => {
  const known = JSON.stringify(flow.sandbox.ledger.requests());
  const posted = paymentIds.filter((paymentId) => flow.sandbox.payment(paymentId).postsCaptured > 0);
  expect(posted.length).toBeGreaterThan(8);
  for (const paymentId of posted) expect(known).toContain(tokenOf(paymentId));
  expect(paymentIds.flatMap((paymentId) => whereIs(tokenOf(paymentId)))).toEqual([]);
  // Nor the part of it that a truncated line would show.
  expect(paymentIds.flatMap((paymentId) => whereIs(tokenOf(paymentId).slice(0, 16)))).toEqual([]);
});

test("the provider's access tokens and our secret are nowhere", () => {
  expect(accessTokens.size).toBeGreaterThan(0);
  for (const secret of [...accessTokens, CREDENTIALS.clientSecret]) expect(whereIs(secret)).toEqual([]);
});

test('no log has a name, a phone or an account number', () => {
  for (const personal of [PAYER.name, 'Zebedayo', encodeURIComponent(PAYER.name), PAYER.msisdn, ACCOUNT])
    expect(whereIs(personal)).not.toContain('logs');
});
