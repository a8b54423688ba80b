import { explore, type Exploration } from './explore';
import { SUBMISSION_BUGS, submissionModel } from './submission';
import { VERDICT_BOUNDS, verdictModel } from './verdict-close';
import { VERDICT_BUGS } from './verdict-close-state';

/** Every model, with and without each bug planted. */

export interface Check {
  readonly name: string;
  readonly bound: string;
  run(): Exploration;
}

const checkOf = <State>(model: Parameters<typeof explore<State>>[0], bug?: string): Check => ({
  name: bug === undefined ? model.name : `${model.name}, with a bug: ${bug}`,
  bound: model.bound,
  run: () => explore(model),
});

const SIDES = Object.keys(VERDICT_BOUNDS) as (keyof typeof VERDICT_BOUNDS)[];

/** As the product is: nothing may be found. */
export const SOUND: readonly Check[] = [
  checkOf(submissionModel()),
  ...SIDES.map((side) => checkOf(verdictModel(side))),
];

/** Each must be found. */
export const PLANTED: readonly Check[] = [
  ...SUBMISSION_BUGS.map((bug) => checkOf(submissionModel(bug), bug)),
  ...VERDICT_BUGS.map((bug) => checkOf(verdictModel(bug === 'completed forgotten' ? 'resets' : 'callbacks', bug), bug)),
];
