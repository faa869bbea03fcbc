/** The snapshot that serves, and the step to the next one: all of it is made before any of it is used. */
import type { CompiledSnapshot } from './compile.ts';
import type { Config } from './config.ts';

export interface NumberedConfig {
  readonly config: Config;
  /** Counts from 1. */
  readonly revision: number;
  /** SHA-256 of the normalised configuration. */
  readonly hash: string;
}

export interface PreparedListeners {
  /** Lets the new listeners serve and the removed ones drain. */
  commit(): void;
  rollback(): Promise<void>;
}

/** A snapshot and its listeners, which serve nobody yet. Either of the two is to be called, once. */
export interface PreparedSnapshot {
  commit(): void;
  rollback(): Promise<void>;
}

/** `previous`: the snapshot that serves; what has not changed goes on from it. */
export type Compile = (
  config: Config,
  revision: number,
  hash: string,
  previous: CompiledSnapshot | undefined,
) => Promise<CompiledSnapshot>;

export class SnapshotSlot {
  readonly #compile: Compile;
  #current: CompiledSnapshot | undefined;

  constructor(compile: Compile) {
    this.#compile = compile;
  }

  /** Throws before the first one. */
  get current(): CompiledSnapshot {
    if (this.#current === undefined) throw new Error('no configuration has been applied yet');
    return this.#current;
  }

  /** 0: there has been none yet. */
  get revision(): number {
    return this.#current?.revision ?? 0;
  }

  get hash(): string | undefined {
    return this.#current?.hash;
  }

  /** Rejects, having let go of everything, where the snapshot cannot be made or `prepareListeners` rejects. */
  async prepare(
    { config, revision, hash }: NumberedConfig,
    prepareListeners: () => Promise<PreparedListeners>,
  ): Promise<PreparedSnapshot> {
    const snapshot = await this.#compile(config, revision, hash, this.#current);
    let listeners: PreparedListeners;
    try {
      listeners = await prepareListeners();
    } catch (error) {
      snapshot.lease.supersede();
      throw error;
    }
    return {
      commit: () => {
        const previous = this.#current;
        // The one assignment: every exchange that begins from here on sees the new snapshot.
        this.#current = snapshot;
        listeners.commit();
        previous?.lease.supersede();
      },
      rollback: async () => {
        snapshot.lease.supersede();
        await listeners.rollback();
      },
    };
  }

  /** Lets go of the last snapshot, which exchanges that are under way keep. */
  empty(): void {
    this.#current?.lease.supersede();
  }
}
