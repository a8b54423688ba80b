import type { Command } from 'commander';
import type { BillPaymentHandle, BillPaymentRequest, PaymentProgress } from '../client';
import { reasonOf } from '../payment/reason';
import { durationOf } from './arguments';
import { EXIT, exitOfOutcome, UsageError } from './exit-codes';
import { withPayments, type Shell } from './shell';
import { interruptedLines, openLines, outcomeLines, stageLine } from './texts';

interface PayOptions {
  readonly id?: string;
  readonly request?: string;
  readonly wait: string;
  readonly service?: string;
  readonly serviceName?: string;
  readonly account?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly country?: string;
  readonly payerName?: string;
  readonly payerPhone?: string;
  readonly description?: string;
  readonly narration?: string;
  readonly fundingAccount?: string;
  readonly saveBillNumber?: true;
  readonly policy?: readonly string[];
}

const MAX_WAIT_MS = 24 * 60 * 60 * 1000;

export function addPay(program: Command, shell: Shell, exit: (code: number) => void): void {
  program
    .command('pay')
    .description('pay a bill and wait for the outcome; without --id a new payment id is made and printed first')
    .option('--id <payment id>', 'yours, unique for ever; sending it again is the same payment')
    .option('--service <id>', "the provider's id of the service (billpay services)")
    .option('--account <number>', 'meter, smartcard or customer number at the biller')
    .option('--amount <units>', 'whole currency units')
    .option('--payer-name <name>')
    .option('--payer-phone <digits>', 'with the country code and no "+"')
    .option('--description <text>')
    .option('--currency <code>', 'ISO 4217 (default KES)')
    .option('--country <code>', 'ISO 3166-1 alpha-2 (default KE)')
    .option('--narration <text>')
    .option('--funding-account <id>', 'reserve the amount on this account first')
    .option('--service-name <name>', 'shown to operators instead of the service id')
    .option('--save-bill-number', 'have the provider keep the biller account for the payer')
    .option(
      '--policy <name=duration>',
      'such as submitWithin="10 minutes"; repeatable',
      (one: string, all: string[] = []) => [...all, one],
    )
    .option('--request <file>', 'the whole request as JSON, "-" for standard input; options replace its fields')
    .option('--wait <duration>', 'how long to wait for the outcome', '60s')
    .action(async (options: PayOptions) => exit(await pay(options, shell)));
}

async function pay(options: PayOptions, shell: Shell): Promise<number> {
  const waitMs = waitOf(options.wait);
  const request = await requestOf(options, shell);
  const { paymentId } = request;
  // Before anything is started: whoever loses the rest of the output can still ask for it.
  shell.output.event('payment', { paymentId }, [{ text: `Payment ${paymentId}`, tone: 'heading' }]);
  const interrupt = new AbortController();
  const stopListening = shell.onInterrupt(() => interrupt.abort());
  try {
    return await withPayments(shell, async (payments) => {
      const payment = await payments.start(request);
      return await showUntilClosed(payment, waitMs, interrupt.signal, shell);
    });
  } finally {
    stopListening();
  }
}

async function showUntilClosed(
  payment: BillPaymentHandle,
  waitMs: number,
  interrupt: AbortSignal,
  { output }: Shell,
): Promise<number> {
  const { paymentId } = payment;
  const done = new AbortController();
  const showing = showChanges(payment.follow({ signal: AbortSignal.any([interrupt, done.signal]) }), (progress) =>
    output.event('progress', progress, [stageLine(progress)]),
  );
  try {
    const result = await payment.outcome({ waitMs, signal: interrupt });
    done.abort();
    await showing;
    if (result.kind === 'open') {
      output.event(
        'open',
        { paymentId, ...(result.progress === undefined ? {} : { progress: result.progress }) },
        openLines(paymentId, result.progress),
      );
      return EXIT.open;
    }
    output.event('outcome', result, outcomeLines(result));
    return exitOfOutcome(result);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    output.event('interrupted', { paymentId }, interruptedLines(paymentId));
    return EXIT.open;
  } finally {
    done.abort();
    await showing;
  }
}

/** Never rejects: what is wrong with the payment, the wait for its outcome tells. */
async function showChanges(
  changes: AsyncIterable<PaymentProgress>,
  show: (progress: PaymentProgress) => void,
): Promise<void> {
  let shown = '';
  try {
    for await (const progress of changes) {
      const { stage, reason, submission } = progress;
      const step = [stage, reason, submission?.kind].join();
      // The outcome follows in words of its own.
      if (step !== shown && stage !== 'closed') show(progress);
      shown = step;
    }
  } catch {
    return;
  }
}

function waitOf(text: string): number {
  const wait = durationOf('--wait', text);
  if (wait > MAX_WAIT_MS) throw new UsageError('--wait must be at most 24h');
  return wait;
}

/** From the file, then the options; the checks are the client's. */
async function requestOf(options: PayOptions, shell: Shell): Promise<BillPaymentRequest> {
  const file = options.request === undefined ? {} : await readRequest(options.request, shell);
  const payer = { ...record(file['payer']), ...given({ name: options.payerName, msisdn: options.payerPhone }) };
  const policy = { ...record(file['policy']), ...policyOf(options.policy ?? []) };
  const request = {
    ...file,
    ...given({
      paymentId: options.id,
      serviceId: options.service,
      serviceName: options.serviceName,
      accountNumber: options.account,
      amount: options.amount === undefined ? undefined : amountOf(options.amount),
      currency: options.currency,
      country: options.country,
      description: options.description,
      narration: options.narration,
      fundingAccount: options.fundingAccount,
      saveBillerNumber: options.saveBillNumber,
    }),
    payer,
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
  };
  // Whatever came in: the client names every wrong field before it starts anything.
  return { paymentId: shell.newPaymentId(), ...request } as unknown as BillPaymentRequest;
}

async function readRequest(file: string, shell: Shell): Promise<Readonly<Record<string, unknown>>> {
  const where = file === '-' ? 'standard input' : file;
  const text = await shell.readInput(file).catch((cause: unknown) => {
    throw new UsageError(`${where} cannot be read: ${reasonOf(cause)}`, { cause });
  });
  const request = record(parseJson(text));
  if (request === undefined) throw new UsageError(`${where} must hold one JSON object`);
  return request;
}

/** Undefined for what is no JSON. The parser's own message would repeat the input, which is personal. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A number as written, for the schema to judge; anything else stays a text and is refused as such. */
const amountOf = (text: string): number | string => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

function policyOf(settings: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    settings.map((setting) => {
      const [, name, duration] = /^(\w+)=(.*)$/s.exec(setting) ?? [];
      if (name === undefined || duration === undefined)
        throw new UsageError('--policy must be name=duration, such as submitWithin="10 minutes"');
      return [name, duration];
    }),
  );
}

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

const given = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
