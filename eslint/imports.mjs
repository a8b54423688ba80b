/**
 * A listener for a rule: tells of every import, whichever way it is written.
 * report(node, specifier, { typeOnly, names })
 * specifier  undefined when only known at run time
 * names      what is taken of the other file; undefined: all of it
 */
export function eachImport(report) {
  const isTypes = (node, kind) =>
    node[kind] === 'type' ||
    (node.specifiers?.length > 0 && node.specifiers.every((specifier) => specifier[kind] === 'type'));
  const nameOf = (identifier) => identifier.name ?? identifier.value;
  /** `import it` takes the name `default`; `import * as all` takes all. */
  const imported = ({ specifiers }) =>
    specifiers.some(({ type }) => type === 'ImportNamespaceSpecifier')
      ? undefined
      : specifiers.map((specifier) => (specifier.imported ? nameOf(specifier.imported) : 'default'));
  const literal = (node) => (node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined);
  const whole = (typeOnly) => ({ typeOnly, names: undefined });
  return {
    ImportDeclaration: (node) =>
      report(node, node.source.value, { typeOnly: isTypes(node, 'importKind'), names: imported(node) }),
    ExportNamedDeclaration: (node) =>
      node.source &&
      report(node, node.source.value, {
        typeOnly: isTypes(node, 'exportKind'),
        names: node.specifiers.map(({ local }) => nameOf(local)),
      }),
    ExportAllDeclaration: (node) => report(node, node.source.value, whole(node.exportKind === 'type')),
    ImportExpression: (node) => report(node, literal(node.source), whole(false)),
    TSImportType: (node) => report(node, literal(node.source ?? node.argument?.literal), whole(true)),
    TSExternalModuleReference: (node) =>
      report(node, literal(node.expression), whole(node.parent.importKind === 'type')),
    CallExpression: (node) =>
      node.callee.type === 'Identifier' &&
      node.callee.name === 'require' &&
      report(node, literal(node.arguments[0]), whole(false)),
  };
}
