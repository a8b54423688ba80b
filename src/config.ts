import { z } from 'zod';

/**
 * The only place that reads the environment. Each process reads its part once, in its `main`, and passes it down; a wrong
 * environment stops the process at once with every bad variable named. Temporal's own settings (`TEMPORAL_ADDRESS`,
 * `TEMPORAL_NAMESPACE`, TLS, API key, `temporal.toml`) are read by `@temporalio/envconfig`.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Every bad variable at once. Values are never repeated: some are secrets. */
export class InvalidConfiguration extends Error {
  override readonly name = 'InvalidConfiguration';
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration is wrong. Mend these variables and start again:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

const required = (what: string) => z.string(`is missing: ${what}`).min(1, `is empty: ${what}`);

const baseUrl = (what: string) =>
  required(what).refine((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || url.search || url.hash || url.username || url.password) return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  }, 'must be an https URL without user, query and fragment (http only for this machine itself)');

/** The provider takes callback addresses of 256 characters; a payment id, a key id and the signature need 133 of them. */
const MAX_CALLBACK_BASE = 120;

const port = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be a port number')
    .default(fallback);

const logLevel = z
  .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], 'must be fatal, error, warn, info, debug or trace')
  .default('info');
const host = z.string().min(1, 'is empty').default('0.0.0.0');
const databaseUrl = required('a PostgreSQL URL, postgresql://user:password@host/database').refine(
  (value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value),
  'must be a PostgreSQL URL, postgresql://user:password@host/database (special characters of a password as %40 and the like)',
);
/** 32 bytes are 43 characters of base64 and a padding. */
const callbackKeys = required('key ring, newest first: id:base64,id:base64')
  .regex(
    /^[a-z0-9]{1,16}:[A-Za-z0-9+/]{43,}={0,2}(,\s*[a-z0-9]{1,16}:[A-Za-z0-9+/]{43,}={0,2})*$/,
    'must be id:base64,id:base64, newest first: ids of 1 to 16 letters and digits, keys of at least 32 bytes',
  )
  .refine((ring) => {
    const ids = ring.split(',').map((entry) => entry.trim().split(':')[0]);
    return new Set(ids).size === ids.length;
  }, 'uses a key id twice: give every key its own id');
const guid = (what: string) =>
  required(what).regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, `must be a GUID, ${what}`);
const namesIn = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
const list = z.string().default('').transform(namesIn);
/** A slip that names nobody must not allow everybody. */
const operators = z
  .string()
  .refine((value) => value.trim() === '' || namesIn(value).length > 0, 'must be names separated by commas')
  .default('')
  .transform(namesIn);

const almara = z.object({
  ALMARA_API_URL: baseUrl("the provider's API base"),
  ALMARA_IDENTITY_URL: baseUrl("the provider's identity base"),
  ALMARA_CLIENT_ID: required('client credentials'),
  ALMARA_CLIENT_SECRET: required('client credentials'),
  ALMARA_SCOPE: z.string().min(1, 'is empty').default('PyPay_api'),
  ALMARA_ROUTE_ID: guid('the route for bills: Almara Pay gives it to you; `billpay doctor` then verifies it'),
  ALMARA_SERVICE_FIELD: z
    .enum(['ServiceId', 'serviceId', 'serviceCode'], 'must be ServiceId, serviceId or serviceCode')
    .default('ServiceId'),
});

const worker = almara.extend({
  CALLBACK_BASE_URL: baseUrl('the public base of the callback endpoint').max(
    MAX_CALLBACK_BASE,
    `must have at most ${MAX_CALLBACK_BASE} characters: the provider takes callback addresses of 256`,
  ),
  CALLBACK_KEYS: callbackKeys,
  DATABASE_URL: databaseUrl,
  HOST: host,
  HEALTH_PORT: port(8081),
  METRICS_PORT: port(9464),
  LOG_LEVEL: logLevel,
  PREPAID_SERVICES: list,
  BILLPAY_OPERATORS: operators,
  SUBMISSIONS: z.enum(['on', 'off'], 'must be on or off').default('on'),
  FAILED_WITHOUT_CODE: z.enum(['ask', 'decline'], 'must be ask or decline').default('ask'),
  ALLOW_TEST_POLICY: z.enum(['true', 'false'], 'must be true or false').default('false'),
});

const callbacks = z.object({
  CALLBACK_KEYS: callbackKeys,
  CALLBACK_PORT: port(8080),
  DATABASE_URL: databaseUrl,
  HOST: host,
  HEALTH_PORT: port(8082),
  METRICS_PORT: port(9465),
  LOG_LEVEL: logLevel,
});

const sandbox = z.object({
  ALMARA_CLIENT_ID: z.string().min(1, 'is empty').default('sandbox-client'),
  ALMARA_CLIENT_SECRET: z.string().min(1, 'is empty').default('sandbox-secret'),
  HOST: host,
  SANDBOX_PORT: port(8090),
  SANDBOX_TOKEN_LIFETIME_SECONDS: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a number of seconds')
    .transform(Number)
    .default(3600),
  SANDBOX_CALLBACK_DELAY_MS: z
    .string()
    .regex(/^\d{1,7}$/, 'must be a number of milliseconds')
    .transform(Number)
    .default(2_000),
  LOG_LEVEL: logLevel,
});

const providerCheck = almara.extend({
  PROVIDER_CHECK_SERVICE_ID: z.string().min(1, 'is empty').optional(),
  PROVIDER_CHECK_ACCOUNT: z.string().min(1, 'is empty').optional(),
  PROVIDER_CHECK_INVALID_ACCOUNT: z.string().min(1, 'is empty').default('0'),
  PROVIDER_CHECK_AMOUNT: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be whole currency units')
    .transform(Number)
    .optional(),
  PROVIDER_CHECK_PAY: z.enum(['true', 'false'], 'must be true or false').default('false'),
});

const cli = z.object({ DATABASE_URL: databaseUrl.optional() });

function read<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.output<Schema> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw new InvalidConfiguration(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
}

function almaraOf(env: z.output<typeof almara>) {
  return {
    apiUrl: env.ALMARA_API_URL,
    identityUrl: env.ALMARA_IDENTITY_URL,
    clientId: env.ALMARA_CLIENT_ID,
    clientSecret: env.ALMARA_CLIENT_SECRET,
    scope: env.ALMARA_SCOPE,
    routeId: env.ALMARA_ROUTE_ID,
    serviceField: env.ALMARA_SERVICE_FIELD,
  } as const;
}

export type WorkerConfig = ReturnType<typeof readWorkerConfig>;
export function readWorkerConfig(environment: Environment = process.env) {
  const env = read(worker, environment);
  return {
    almara: almaraOf(env),
    callbackBaseUrl: env.CALLBACK_BASE_URL,
    callbackKeys: env.CALLBACK_KEYS,
    databaseUrl: env.DATABASE_URL,
    host: env.HOST,
    healthPort: env.HEALTH_PORT,
    metricsPort: env.METRICS_PORT,
    logLevel: env.LOG_LEVEL,
    prepaidServices: env.PREPAID_SERVICES,
    operators: env.BILLPAY_OPERATORS,
    submissions: env.SUBMISSIONS,
    failedWithoutCode: env.FAILED_WITHOUT_CODE,
    allowTestPolicy: env.ALLOW_TEST_POLICY === 'true',
  } as const;
}

export function readCallbacksConfig(environment: Environment = process.env) {
  const env = read(callbacks, environment);
  return {
    keyRing: env.CALLBACK_KEYS,
    host: env.HOST,
    port: env.CALLBACK_PORT,
    healthPort: env.HEALTH_PORT,
    metricsPort: env.METRICS_PORT,
    databaseUrl: env.DATABASE_URL,
    logLevel: env.LOG_LEVEL,
  } as const;
}

export function readSandboxConfig(environment: Environment = process.env) {
  const env = read(sandbox, environment);
  return {
    clientId: env.ALMARA_CLIENT_ID,
    clientSecret: env.ALMARA_CLIENT_SECRET,
    host: env.HOST,
    port: env.SANDBOX_PORT,
    tokenLifetimeSeconds: env.SANDBOX_TOKEN_LIFETIME_SECONDS,
    callbackDelayMs: env.SANDBOX_CALLBACK_DELAY_MS,
    logLevel: env.LOG_LEVEL,
  } as const;
}

/** What names the provider's test system and us there. Without a word of it there is nothing to check. */
export const PROVIDER_CHECK_NEEDS = [
  'ALMARA_API_URL',
  'ALMARA_IDENTITY_URL',
  'ALMARA_CLIENT_ID',
  'ALMARA_CLIENT_SECRET',
  'ALMARA_ROUTE_ID',
] as const;

export type ProviderCheckConfig = NonNullable<ReturnType<typeof readProviderCheckConfig>>;
/** For `npm run provider:check`. Undefined where no credentials are set at all. */
export function readProviderCheckConfig(environment: Environment = process.env) {
  if (PROVIDER_CHECK_NEEDS.every((name) => (environment[name] ?? '') === '')) return undefined;
  const env = read(providerCheck, environment);
  const { PROVIDER_CHECK_SERVICE_ID: serviceId, PROVIDER_CHECK_ACCOUNT: accountNumber } = env;
  const bill = serviceId !== undefined && accountNumber !== undefined ? { serviceId, accountNumber } : undefined;
  const amount = env.PROVIDER_CHECK_AMOUNT;
  const payment = bill && amount !== undefined ? { ...bill, amount } : undefined;
  const isPaying = env.PROVIDER_CHECK_PAY === 'true';
  if (isPaying && payment === undefined)
    throw new InvalidConfiguration([
      'PROVIDER_CHECK_SERVICE_ID, PROVIDER_CHECK_ACCOUNT and PROVIDER_CHECK_AMOUNT are needed to pay',
    ]);
  return {
    almara: almaraOf(env),
    serviceId,
    bill,
    invalidAccount: env.PROVIDER_CHECK_INVALID_ACCOUNT,
    payment: isPaying ? payment : undefined,
  } as const;
}

export function readCliConfig(environment: Environment = process.env) {
  const env = read(cli, environment);
  return { databaseUrl: env.DATABASE_URL } as const;
}

/** For what runs everything on one machine: the servers to use instead of starting some. */
export function readLocalConfig(environment: Environment = process.env) {
  return { databaseUrl: environment['DATABASE_URL'], temporalAddress: environment['TEMPORAL_ADDRESS'] } as const;
}
