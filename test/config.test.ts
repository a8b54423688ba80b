import { execFile } from 'node:child_process';
import path from 'node:path';
import { InvalidConfiguration, readCallbacksConfig, readSandboxConfig, readWorkerConfig } from '../src/config';

/** Bad input: a wrong configuration stops a process at once, with every bad variable named and no value repeated. */

const KEYS = `newest:${'A'.repeat(43)}=,older1:${'b'.repeat(44)}`;

const WORKER = {
  ALMARA_API_URL: 'https://api.example',
  ALMARA_IDENTITY_URL: 'http://127.0.0.1:9',
  ALMARA_CLIENT_ID: 'id',
  ALMARA_CLIENT_SECRET: 'secret',
  ALMARA_ROUTE_ID: '068d89af-be67-f011-bb46-0e7d952d79b7',
  CALLBACK_BASE_URL: 'https://callbacks.example/base',
  CALLBACK_KEYS: KEYS,
  DATABASE_URL: 'postgresql://user:password@127.0.0.1:1/database',
};
const CALLBACKS = { CALLBACK_KEYS: KEYS, DATABASE_URL: WORKER.DATABASE_URL };

const problemsOf = (read: (environment: Record<string, string>) => unknown, environment: Record<string, string>) => {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof InvalidConfiguration) return error.problems;
    throw error;
  }
  return [];
};
const namesIn = (problems: readonly string[]): string[] =>
  problems.map((problem) => problem.split(' ')[0] ?? '').sort();

describe('what a process needs', () => {
  test.each([
    { process: 'worker', read: readWorkerConfig, needed: WORKER },
    { process: 'callbacks', read: readCallbacksConfig, needed: CALLBACKS },
    { process: 'sandbox', read: readSandboxConfig, needed: {} },
  ])(
    '$process: every missing variable is named at once, an empty one too, and nothing else is needed',
    ({ read, needed }) => {
      const names = Object.keys(needed).sort();
      const empty = Object.fromEntries(names.map((name) => [name, '']));
      expect(namesIn(problemsOf(read, {}))).toEqual(names);
      expect(new Set(namesIn(problemsOf(read, empty)))).toEqual(new Set(names));
      expect(problemsOf(read, needed)).toEqual([]);
    },
  );
});

describe('what is refused', () => {
  const BAD: readonly (readonly [name: string, what: string, value: string])[] = [
    ['ALMARA_API_URL', 'no URL', 'no-url-VALUE'],
    ['ALMARA_API_URL', 'not https', 'http://VALUE.example'],
    ['ALMARA_API_URL', 'not https', 'ftp://VALUE.example'],
    ['ALMARA_API_URL', 'with a user', 'https://VALUE:VALUE@api.example'],
    ['ALMARA_API_URL', 'with a query', 'https://api.example/?VALUE=1'],
    ['ALMARA_IDENTITY_URL', 'not https', 'http://VALUE.example'],
    ['ALMARA_IDENTITY_URL', 'loopback only by its looks', 'http://127.0.0.1.VALUE.example'],
    ['ALMARA_SERVICE_FIELD', 'an unknown scheme', 'VALUE'],
    ['ALMARA_SCOPE', 'empty', ''],
    ['CALLBACK_BASE_URL', 'not https', 'http://VALUE.example'],
    ['CALLBACK_BASE_URL', 'too long', `https://callbacks.example/${'VALUE'.repeat(30)}`],
    ['CALLBACK_KEYS', 'no key ring', 'VALUE'],
    ['CALLBACK_KEYS', 'a short key', 'short:VALUE'],
    ['CALLBACK_KEYS', 'a bad key id', `Upper:VALUE${'A'.repeat(40)}`],
    ['CALLBACK_KEYS', 'a comma too many', `${KEYS},`],
    ['CALLBACK_KEYS', 'a key id twice', `${KEYS},newest:VALUE${'A'.repeat(40)}`],
    ['ALMARA_ROUTE_ID', 'no GUID', 'VALUE-be67-f011-bb46-0e7d952d79b7'],
    ['DATABASE_URL', 'no URL', 'postgresql://user:VALUE/@host:port/database'],
    ['DATABASE_URL', 'another database', 'mysql://VALUE:VALUE@host/database'],
    ['HEALTH_PORT', 'no port', '99999'],
    ['HEALTH_PORT', 'no number', 'VALUE'],
    ['METRICS_PORT', 'no number', '-1'],
    ['LOG_LEVEL', 'no level', 'VALUE'],
    ['FAILED_WITHOUT_CODE', 'no choice', 'VALUE'],
    ['ALLOW_TEST_POLICY', 'no choice', 'VALUE'],
    ['SUBMISSIONS', 'no choice', 'VALUE'],
    ['BILLPAY_OPERATORS', 'names nobody', ' , '],
  ];

  test.each(BAD)('worker: %s, %s', (name, _what, value) => {
    const problems = problemsOf(readWorkerConfig, { ...WORKER, [name]: value });
    expect(namesIn(problems)).toEqual([name]);
    expect(problems.join()).not.toContain('VALUE');
  });

  const SHARED = ['CALLBACK_KEYS', 'DATABASE_URL', 'HEALTH_PORT', 'METRICS_PORT', 'LOG_LEVEL'];
  test.each([...BAD.filter(([name]) => SHARED.includes(name)), ['CALLBACK_PORT', 'no number', 'VALUE']] as const)(
    'callbacks: %s, %s',
    (name, _what, value) => {
      const problems = problemsOf(readCallbacksConfig, { ...CALLBACKS, [name]: value });
      expect(namesIn(problems)).toEqual([name]);
      expect(problems.join()).not.toContain('VALUE');
    },
  );

  test('several at once, the missing and the wrong, in one message', () => {
    const { ALMARA_CLIENT_ID: _missing, ...rest } = WORKER;
    const wrong = {
      ALMARA_ROUTE_ID: 'route',
      CALLBACK_KEYS: `${KEYS},${KEYS}`,
      DATABASE_URL: 'postgresql://host:port',
    };
    const problems = problemsOf(readWorkerConfig, { ...rest, ...wrong, LOG_LEVEL: 'loud' });
    expect(namesIn(problems)).toEqual([
      'ALMARA_CLIENT_ID',
      'ALMARA_ROUTE_ID',
      'CALLBACK_KEYS',
      'DATABASE_URL',
      'LOG_LEVEL',
    ]);
  });
});

describe('the process itself', () => {
  const ROOT = path.join(__dirname, '..');

  /** Never resolves for a process that hangs: it is killed, and the signal shows. */
  function run(main: string, environment: Record<string, string>) {
    const { PATH = '', HOME = '' } = process.env;
    const args = [path.join(ROOT, 'test/support/run-typescript.cjs'), path.join(ROOT, 'src', main)];
    const options = { env: { PATH, HOME, ...environment }, timeout: 60_000, killSignal: 'SIGKILL' } as const;
    return new Promise<{ code: unknown; said: string }>((resolve) => {
      execFile(process.execPath, args, options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (error.signal ?? error.code), said: stdout + stderr }),
      );
    });
  }

  test.each([
    { main: 'worker/main.ts', needed: WORKER },
    { main: 'callbacks/main.ts', needed: CALLBACKS },
  ])('$main without any configuration: ends with code 1 and names everything it needs', async ({ main, needed }) => {
    const { code, said } = await run(main, {});
    expect(code).toBe(1);
    for (const name of Object.keys(needed)) expect(said).toContain(`${name} is missing`);
    expect(said).not.toMatch(/\n\s+at /);
  });

  test.each([
    { main: 'worker/main.ts', needed: WORKER },
    { main: 'callbacks/main.ts', needed: CALLBACKS },
  ])('$main with everything wrong: ends with code 1, and repeats no value', async ({ main, needed }) => {
    const wrong = Object.fromEntries(Object.keys(needed).map((name) => [name, '']));
    const { code, said } = await run(main, {
      ...wrong,
      DATABASE_URL: 'VALUE',
      CALLBACK_KEYS: 'id:VALUE',
      LOG_LEVEL: 'VALUE',
    });
    expect(code).toBe(1);
    for (const name of [...Object.keys(needed), 'LOG_LEVEL']) expect(said).toContain(name);
    expect(said).not.toContain('VALUE');
  });

  test.each([
    { main: 'worker/main.ts', environment: { ...WORKER, HOST: '127.0.0.1', HEALTH_PORT: '0', METRICS_PORT: '0' } },
    {
      main: 'callbacks/main.ts',
      environment: { ...CALLBACKS, HOST: '127.0.0.1', HEALTH_PORT: '0', METRICS_PORT: '0' },
    },
  ])('$main whose database does not answer: ends by itself, and tells no password', async ({ main, environment }) => {
    const { code, said } = await run(main, environment);
    expect(code).toBe(1);
    expect(said).toMatch(/cannot be asked \(.*ECONNREFUSED.*Check DATABASE_URL and the server/);
    expect(said).not.toContain('password');
  });
});
