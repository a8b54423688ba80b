/** Counts of what happened, by group and name. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  add(group: string, name: string): void {
    const counts = this.#counts.get(group) ?? new Map<string, number>();
    counts.set(name, (counts.get(name) ?? 0) + 1);
    this.#counts.set(group, counts);
  }

  of(group: string): Readonly<Record<string, number>> {
    return Object.fromEntries([...(this.#counts.get(group) ?? [])].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
