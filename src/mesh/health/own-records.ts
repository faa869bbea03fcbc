/** This node's records in a space: written when they change, renewed while they do not. */
import type { Backplane, Json, Mutation } from '../backplane/backplane.ts';
import { LEASE_MS } from '../backplane/timing.ts';

/** What the store is not known to have. */
const UNKNOWN = '';

export class OwnRecords {
  readonly #backplane: Pick<Backplane, 'change' | 'renew'>;
  readonly #space: string;
  readonly #owner: string;
  /** JSON by id. */
  readonly #written = new Map<string, string>();

  constructor(backplane: Pick<Backplane, 'change' | 'renew'>, space: string, owner: string) {
    this.#backplane = backplane;
    this.#space = space;
    this.#owner = owner;
  }

  /** Extends the leases; what the store has forgotten is written anew by the next `write`. */
  async renew(): Promise<void> {
    for (const id of this.#written.keys()) {
      const lease = { owner: this.#owner, leaseMs: LEASE_MS };
      const renewal = await this.#backplane.renew(this.#space, 'hint', id, lease);
      if (renewal !== 'renewed') this.#written.set(id, UNKNOWN);
    }
  }

  /** One change for all that is new; undefined takes a record away. Not twice at a time. */
  async write(wanted: ReadonlyMap<string, Json | undefined>): Promise<void> {
    const mutations: Mutation[] = [];
    const texts = new Map<string, string | undefined>();
    for (const [id, value] of wanted) {
      const text = value === undefined ? undefined : JSON.stringify(value);
      if (text === this.#written.get(id)) continue;
      texts.set(id, text);
      mutations.push(this.#toMutation(id, value));
    }
    if (mutations.length === 0) return;
    // Should it fail, nobody knows what the store has.
    for (const id of texts.keys()) this.#written.set(id, UNKNOWN);
    await this.#backplane.change(this.#space, mutations);
    for (const [id, text] of texts) {
      if (text === undefined) this.#written.delete(id);
      else this.#written.set(id, text);
    }
  }

  #toMutation(id: string, value: Json | undefined): Mutation {
    const owner = this.#owner;
    if (value === undefined) return { type: 'remove', kind: 'hint', id, owner };
    return { type: 'put', kind: 'hint', id, value, owner, leaseMs: LEASE_MS };
  }
}
