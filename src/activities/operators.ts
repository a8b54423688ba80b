import type { ActivitySettings } from './dependencies';

/**
 * Who may decide, if the deployment names them (`BILLPAY_OPERATORS`). A check against mistakes, not authentication: a name is
 * typed. It is asked where a decision is recorded, because a workflow cannot read the environment, and a list that it had kept
 * from its start would go stale.
 */
export function mayDecide({ operators = [] }: Pick<ActivitySettings, 'operators'>, operator: string): boolean {
  return operators.length === 0 || operators.some((name) => comparable(name) === comparable(operator));
}

/** People type their own name with or without capitals. */
const comparable = (name: string): string => name.normalize('NFKC').trim().toLowerCase();
