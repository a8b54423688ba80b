/** What pages of `docs/` need that are printed from the code. */

/** The document with `text` between its two lines. @throws Error if it has no such place */
export function withGenerated(document: string, about: string, text: string): string {
  const begin = `<!-- ${about}: made by scripts/documents.mjs, do not edit -->`;
  const end = `<!-- end of ${about} -->`;
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The document needs two lines: ${begin} and ${end}`);
  return `${document.slice(0, from)}${begin}\n\n${text}\n\n${document.slice(to)}`;
}

/** As Prettier lays it out, so that neither undoes the other. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body];
  const widths = head.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width, fill)).join(' | ')} |`;
  return [line(head), line([], '-'), ...body.map((row) => line(row))].join('\n');
}
