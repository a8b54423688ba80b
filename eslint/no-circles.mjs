import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { eachImport } from './imports.mjs';

/**
 * No file reaches itself by imports, not even by types: in a circle no file can be read, tested or moved without all the others.
 * What the others import is read from the disk by TypeScript's scanner, which takes milliseconds; the file that is linted is read
 * as it stands in the editor.
 */

/** An editor keeps the linter for hours, and files change under it. */
const FRESH_MS = 10_000;

let imports = new Map();
let readAt = 0;

/** The files that a file imports. Packages lead to no file of ours. */
function importsOf(file) {
  if (!imports.has(file)) {
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
    const found = importedFiles.map(({ fileName }) => resolve(file, fileName));
    imports.set(file, [...new Set(found.filter((each) => each !== undefined))]);
  }
  return imports.get(file);
}

function resolve(from, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const target = path.resolve(path.dirname(from), specifier);
  return [target, `${target}.ts`, target.replace(/js$/, 'ts'), path.join(target, 'index.ts')].find(
    (file) => file.endsWith('.ts') && existsSync(file),
  );
}

/** The shortest way by imports, both ends included; undefined when there is none. */
function way(from, to) {
  const ways = new Map([[from, [from]]]);
  // A Map hands out what is added to it while it is walked: nearest first.
  for (const [file, soFar] of ways) {
    if (file === to) return soFar;
    for (const next of importsOf(file)) if (!ways.has(next)) ways.set(next, [...soFar, next]);
  }
  return undefined;
}

export const noCircles = {
  meta: { type: 'problem', schema: [], docs: { description: 'no file imports itself, by whatever way' } },
  create(context) {
    if (Date.now() - readAt > FRESH_MS) [imports, readAt] = [new Map(), Date.now()];
    const shown = (file) => path.relative(context.cwd, file).split(path.sep).join('/');
    return eachImport((node, specifier) => {
      const target = specifier === undefined ? undefined : resolve(context.filename, specifier);
      const back = target === undefined ? undefined : way(target, context.filename);
      if (back === undefined) return;
      const circle = [context.filename, ...back].map(shown).join(' → ');
      context.report({ node, message: `Closes a circle of imports: ${circle}.` });
    });
  },
};
