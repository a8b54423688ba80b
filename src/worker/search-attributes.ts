import { type ConnectionLike } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../payment/contract';

/**
 * A server that is not ours may lack the search attributes, and then the first payment fails to start. Checked when a worker
 * starts, with the command that mends it.
 */

type Key = (typeof SEARCH_ATTRIBUTES)[keyof typeof SEARCH_ATTRIBUTES];

export interface MissingSearchAttribute {
  readonly name: string;
  /** As the command line of Temporal writes it. */
  readonly type: string;
  /** It is there, as another type: it must be removed first. */
  readonly found?: string;
}

/** `KEYWORD_LIST` → `KeywordList`: the spelling of Temporal's command line. */
export function searchAttributeType(type: string): string {
  return type.toLowerCase().replace(/(^|_)([a-z])/g, (_whole, _gap, letter: string) => letter.toUpperCase());
}

/** @throws a gRPC error when the server does not answer or the caller may not ask */
export async function missingSearchAttributes(
  connection: Pick<ConnectionLike, 'operatorService'>,
  namespace: string,
): Promise<readonly MissingSearchAttribute[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.values(SEARCH_ATTRIBUTES).flatMap((key: Key) => {
    const found = nameOfType(customAttributes[key.name]);
    const type = searchAttributeType(key.type);
    if (found === type) return [];
    return [{ name: key.name, type, ...(found !== undefined && { found }) }];
  });
}

/** What to tell a person: each missing one with the command that adds it. */
export function howToAddSearchAttributes(missing: readonly MissingSearchAttribute[], namespace: string): string {
  const command = (verb: string, rest: string) =>
    `  temporal operator search-attribute ${verb} --namespace ${namespace} ${rest}`;
  return [
    `The namespace ${namespace} lacks search attributes of this system. Add them, then start again:`,
    ...missing.flatMap(({ name, type, found }) => [
      ...(found === undefined ? [] : [`  # ${name} is there as ${found}`, command('remove', `--name ${name} --yes`)]),
      command('create', `--name ${name} --type ${type}`),
    ]),
  ].join('\n');
}

/** `IndexedValueType` of Temporal's API, by number. */
const TYPES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

function nameOfType(value: number | null | undefined): string | undefined {
  return value === null || value === undefined ? undefined : (TYPES[value] ?? `type ${value}`);
}
