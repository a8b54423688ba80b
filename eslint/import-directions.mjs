import { builtinModules } from 'node:module';
import path from 'node:path';
import { eachImport } from './imports.mjs';
import { LOADED_BY, NAMES, PARTS, ROOMS } from './layout.mjs';

/** A file as the table names it, 'src/store/payments'; an index by its folder. Begins with '../' outside the repository. */
const nameOf = (root, file) =>
  path
    .relative(root, file)
    .split(path.sep)
    .join('/')
    .replace(/\.[cm]?[jt]s$/, '');
const withoutIndex = (name) => name.replace(/\/index$/, '');

const roomOf = (name) => name.split('/', name.startsWith('src/') ? 2 : 1).join('/');
const covers = (list, name) => list?.some((entry) => name === entry || name.startsWith(`${entry}/`)) ?? false;

function problemWith({ from, specifier, target, typeOnly, names }) {
  const room = roomOf(from);
  if (ROOMS[room] === undefined) return `${room} is no room of the layout: name it in eslint/layout.mjs`;
  if (ROOMS[room].everything) return undefined;
  const parts = Object.keys(PARTS).filter((part) => covers([part], from));
  const rules = [ROOMS[room], ...parts.map((part) => PARTS[part])];
  const may = (key, name) => rules.some((rule) => covers(rule[key], name));

  if (target === undefined) {
    if (specifier.startsWith('node:') || builtinModules.includes(specifier))
      return rules.some((rule) => rule.node) ? undefined : `${room} may not use Node's own modules`;
    return may('packages', specifier) ? undefined : `${room} may not use the package ${specifier}`;
  }
  const asTypes = `${room} may import ${target} only as types`;
  if (roomOf(target) !== room && !may('rooms', target)) {
    if (!may('types', target)) return `${room} may not import ${target}`;
    if (!typeOnly) return asTypes;
  }
  if (LOADED_BY[target]?.includes(room) === false && !typeOnly) return asTypes;
  const [notTheirs] = Object.entries(NAMES[target] ?? {})
    .filter(([name, rooms]) => (names === undefined || names.includes(name)) && !rooms.includes(room))
    .map(([name]) => name);
  return notTheirs === undefined ? undefined : `${room} may not import ${notTheirs} of ${target}`;
}

export const importDirections = {
  meta: { type: 'problem', schema: [], docs: { description: 'imports go only where the layout has an arrow' } },
  create(context) {
    const from = nameOf(context.cwd, context.filename);
    return eachImport((node, specifier, taken) => {
      if (specifier === undefined) {
        if (ROOMS[roomOf(from)]?.everything) return;
        context.report({ node, message: 'An import whose target is only known at run time cannot be checked.' });
        return;
      }
      const target = specifier.startsWith('.')
        ? withoutIndex(nameOf(context.cwd, path.resolve(path.dirname(context.filename), specifier)))
        : undefined;
      const message = problemWith({ from, specifier, target, ...taken });
      if (message !== undefined) context.report({ node, message: `${message}.` });
    });
  },
};
