import type { WorldBug } from './bugs';
import type { Bounds } from './state';
import type { StoreRules } from './store';

/** What a side looks at, and the bug that is planted in the world around the rules. */
export interface Setting {
  readonly bounds: Bounds;
  readonly store: StoreRules;
  readonly bug?: WorldBug | undefined;
}
