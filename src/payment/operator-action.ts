import type { Ending } from './ending';

/** A person's command about money: who, which, why. Recorded with what it does, or as refused. */
export interface OperatorAction {
  readonly operator: string;
  /** The command, such as `resolvePayment` or `cancelPayment`. */
  readonly action: string;
  readonly note: string;
  /** The engine's id of the update: one acts once, whatever is repeated, reset or started again. */
  readonly updateId?: string;
  /** The rest of the command's argument, kept as it came. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a person does by this ending; undefined: nobody, it ends by itself. */
export function actionOf(ending: Ending): OperatorAction | undefined {
  if (ending.kind === 'decided') {
    const { operator, note, ...details } = ending.resolution;
    return { operator, note, action: 'resolvePayment', details, ...updateIdOf(ending) };
  }
  if (ending.kind === 'proven' || ending.why.kind === 'gave-up') return undefined;
  const { operator, note } = ending.why;
  return { operator, note, action: 'cancelPayment', ...updateIdOf(ending.why) };
}

const updateIdOf = ({ updateId }: { readonly updateId?: string }): { readonly updateId?: string } =>
  updateId === undefined ? {} : { updateId };
