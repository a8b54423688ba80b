import { plant, RULES, type Rule } from '../../src/payment/planted';
import { NEEDED, PROOF } from '../rules';
import type { WorldBug } from './bugs';
import { explore, type Exploration } from './explore';
import { modelOf, SIDES, type Side } from './sides';

/** Every side of a payment's life, as the product is and with each bug planted. */

export interface Check {
  readonly name: string;
  readonly side: Side;
  /** Planted: it must be found. Absent: nothing may be found. */
  readonly bug?: Rule | WorldBug;
  readonly bound: string;
  run(): Exploration;
}

function checkOf(side: Side, bug?: Rule | WorldBug): Check {
  return {
    name: bug === undefined ? side : `${side}, without: ${bug}`,
    side,
    ...(bug !== undefined && { bug }),
    bound: modelOf(side).bound,
    run: () => explored(side, bug),
  };
}

const isRule = (bug: Rule | WorldBug): bug is Rule => (RULES as readonly string[]).includes(bug);

function explored(side: Side, bug: Rule | WorldBug | undefined): Exploration {
  if (bug === undefined || !isRule(bug)) return explore(modelOf(side, bug));
  plant(bug);
  try {
    return explore(modelOf(side));
  } finally {
    plant(undefined);
  }
}

export const SOUND: readonly Check[] = (Object.keys(SIDES) as Side[]).map((side) => checkOf(side));

export const PLANTED: readonly Check[] = [PROOF, ...NEEDED].flatMap(({ planted }) =>
  (Object.entries(planted) as [Rule | WorldBug, Side][]).map(([bug, side]) => checkOf(side, bug)),
);
