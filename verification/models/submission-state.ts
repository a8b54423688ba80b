/** What the submission model keeps of the world, and what must be true of it at every moment. */

export interface Attempt {
  readonly phase: 'looking' | 'claiming' | 'sending' | 'sent';
  /** The tick at which its claim's statement left. */
  readonly since: number;
  /** The engine waits for it; otherwise it is a zombie. */
  readonly current: boolean;
}

export type Ending = 'cancelled' | 'expired' | 'rejected' | 'failed' | 'paid' | 'not-found' | 'declined-by-operator';
export const UNSENT: readonly Ending[] = ['cancelled', 'expired'];

/** A closing transaction that is asked for until it is answered. */
export interface Close {
  readonly ending: Ending;
  /** Of the run that lives; otherwise nobody hears the answer. */
  readonly current: boolean;
  /** Only with the two-step bug: the claim was checked in a transaction before. */
  readonly checked: boolean;
}

export interface State {
  readonly now: number;
  readonly run: 'before-sending' | 'submitting' | 'awaiting' | 'closing' | 'ended';
  readonly runs: number;
  readonly attempts: readonly Attempt[];
  readonly attemptsMade: number;
  readonly cancelAsked: boolean;
  readonly closes: readonly Close[];
  readonly claim: { readonly kind: 'free' | 'sealed' } | { readonly kind: 'taken'; readonly expires: number };
  readonly outcome?: Ending;
  /** Payment requests that left us. */
  readonly posts: number;
  /** The request on its way, and when its token dies. */
  readonly onItsWay?: { readonly expires: number };
  readonly answer?: 'accepted' | 'rejected';
  readonly provider: 'nothing' | 'accepted' | 'completed' | 'failed';
  /** Its look-up shows what it has. */
  readonly visible: boolean;
  /** What was seen to go wrong at the moment it did. */
  readonly wrong: readonly string[];
}

export const INITIAL: State = {
  now: 0,
  run: 'before-sending',
  runs: 1,
  attempts: [],
  attemptsMade: 0,
  cancelAsked: false,
  closes: [],
  claim: { kind: 'free' },
  posts: 0,
  provider: 'nothing',
  visible: false,
  wrong: [],
};

/** Short, because hundreds of thousands are kept. Attempts and closes are told apart by what they are, not by their order. */
export function canonical(state: State): string {
  const { now, run, runs, attemptsMade, cancelAsked, claim, outcome, posts, onItsWay, answer, provider, wrong } = state;
  const attempts = state.attempts.map(({ phase, since, current }) => `${phase}${since}${current ? '!' : ''}`).sort();
  const closes = state.closes
    .map((each) => `${each.ending}${each.current ? '!' : ''}${each.checked ? '?' : ''}`)
    .sort();
  const holder = claim.kind === 'taken' ? claim.expires : claim.kind;
  // A run that has ended begins nothing any more: what it had left to begin makes no difference.
  const left = run === 'ended' ? '' : `${runs}${attemptsMade}${String(cancelAsked)}`;
  const request = `${posts}${onItsWay?.expires ?? '-'}${answer ?? '-'}${provider}${String(state.visible)}`;
  return [now, run, left, attempts.join(), closes.join(), holder, outcome, request, wrong.length].join('|');
}

export function violations({ posts, claim, outcome, provider, wrong }: State): readonly string[] {
  const found = [...wrong];
  if (posts > 1) found.push(`G1: ${posts} payment requests left`);
  if (posts > 0 && claim.kind === 'free') found.push('G1: a request left, and the claim is free');
  if (outcome === undefined) return found;
  if (UNSENT.includes(outcome) && posts > 0) found.push(`G2: ${outcome} as never sent, and a request left`);
  const isTaken = provider === 'accepted' || provider === 'completed';
  if (isTaken && (outcome === 'rejected' || outcome === 'failed' || outcome === 'not-found'))
    found.push(`G2: declined as ${outcome}, and Almara Pay has ${provider} it`);
  if (outcome === 'paid' && provider !== 'completed') found.push('G3: paid, and Almara Pay has not completed it');
  return found;
}
