/** A map by name of which a changed copy shares all but what has changed. */

const GONE = Symbol('gone');

/** Smaller ones are copied whole, and looked into once. */
const WHOLE_SIZE = 32;

export class LayeredMap<V extends object> {
  /** Shared with copies, unless it is small or has just been made. */
  #base: Map<string, V> | undefined = undefined;
  /** What differs from it; of this map alone. */
  #changes: Map<string, V | typeof GONE> | undefined = undefined;

  get(name: string): V | undefined {
    if (this.#changes !== undefined) {
      const changed = this.#changes.get(name);
      if (changed !== undefined) return changed === GONE ? undefined : changed;
    }
    return this.#base?.get(name);
  }

  get isEmpty(): boolean {
    if (this.#base === undefined || this.#base.size === 0) return this.#added === 0;
    return this.#added + this.#base.size === 0;
  }

  /** By how much the changes make it larger. */
  get #added(): number {
    let added = 0;
    for (const [name, value] of this.#changes ?? []) {
      const isInBase = this.#base?.has(name) === true;
      if (value === GONE) added -= isInBase ? 1 : 0;
      else if (!isInBase) added++;
    }
    return added;
  }

  /** Only of one that nobody else reads yet: one that is new, or has just taken over another's members. */
  set(name: string, value: V): void {
    if (this.#changes === undefined) (this.#base ??= new Map()).set(name, value);
    else this.#changes.set(name, value);
  }

  /** As `set`. */
  delete(name: string): void {
    if (this.#changes === undefined) this.#base?.delete(name);
    else this.#changes.set(name, GONE);
  }

  /**
   * Becomes a copy of another, for the price of what has changed in that one since it was made: not
   * more than the square root of its size, at which a new whole one is made of it, in steps.
   */
  *takeOver(other: LayeredMap<V>): Generator<undefined, void> {
    const { size } = other.#base ?? { size: 0 };
    const changes = other.#changes?.size ?? 0;
    if (size > WHOLE_SIZE && changes * changes < size) {
      this.#base = other.#base;
      this.#changes = new Map(other.#changes);
      return;
    }
    const whole = new Map<string, V>();
    let copied = 0;
    for (const [name, value] of other.#base ?? []) {
      whole.set(name, value);
      if (++copied % COPIED_A_STEP === 0) yield;
    }
    for (const [name, value] of other.#changes ?? []) {
      if (value === GONE) whole.delete(name);
      else whole.set(name, value);
    }
    this.#base = whole;
    this.#changes = undefined;
  }
}

const COPIED_A_STEP = 1024;
