/** Keeps one instance registered: heartbeats, registers again when asked to, drains, and leaves. */
import { randomBytes } from 'node:crypto';
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane, ChangeOutcome, Mutation } from '../backplane/backplane.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { heartbeatDelayMs, LEASE_MS, retryDelayMs } from '../backplane/timing.ts';
import { spaceOfService, toInstanceValue, type InstanceSpec } from './instance.ts';
import { createIndexEntry, type IndexEntry } from './service-index.ts';

/**
 * `registering`: not in the store yet, or not known to be. `superseded`: a newer registration
 * has the id; this one has ended by itself. `ended`: after `deregister`.
 */
export type RegistrationState = 'registering' | 'registered' | 'superseded' | 'ended';

export interface RegistrationOptions {
  readonly backplane: Backplane;
  readonly service: string;
  readonly instance: InstanceSpec;
  readonly monotonic: () => number;
  /** Uniform in [0, 1); for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
  /** Hears each change of `state`. */
  readonly onState?: ((state: RegistrationState) => void) | undefined;
}

/** After an outage everybody comes back within this time, and not all at once. */
const COMEBACK_MS = 1_000;

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #space: string;
  readonly #schedule: Schedule;
  readonly #index: IndexEntry;
  /** Of this registration alone: the store knows it again after an answer was lost. */
  readonly #owner = randomBytes(12).toString('base64url');
  #instance: InstanceSpec;
  #state: RegistrationState = 'registering';
  #draining = false;
  #generation: number | undefined;
  /** What the store has is not what it should have. */
  #isDirty = true;
  #failures = 0;
  #beating: Promise<boolean> | undefined;
  #callOff = (): void => {};
  #forgetStatus = (): void => {};

  /** Throws a TypeError for a service or an id that cannot be one. Does nothing until `start`. */
  constructor(options: RegistrationOptions) {
    const { backplane, service, instance, monotonic, schedule = scheduleTimer } = options;
    this.#options = options;
    this.#instance = instance;
    this.#space = spaceOfService(service);
    this.#schedule = schedule;
    this.#index = createIndexEntry(backplane, service, monotonic);
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Undefined until the store gave one. */
  get generation(): number | undefined {
    return this.#generation;
  }

  /** True where the store took it at the first try; it goes on trying, whatever this says. */
  async start(): Promise<boolean> {
    this.#forgetStatus = this.#options.backplane.onStatus(() => this.#comeBack());
    return this.#beat();
  }

  /** Other metadata, weight or address, under the same id. */
  async update(instance: InstanceSpec): Promise<boolean> {
    this.#instance = { ...instance, id: this.#instance.id };
    return this.#tell();
  }

  /** Tells all callers to send no new requests. True once the store has it. */
  async drain(): Promise<boolean> {
    this.#draining = true;
    return this.#tell();
  }

  /** Takes a drain back. */
  async resume(): Promise<boolean> {
    this.#draining = false;
    return this.#tell();
  }

  /**
   * Ends it. True where the store has removed it; where it could not be asked, the lease runs
   * out by itself.
   */
  async deregister(): Promise<boolean> {
    if (this.#hasEnded) return false;
    this.#turn('ended');
    await this.#beating;
    const { backplane, log, service } = this.#options;
    const when = { notNewerThan: this.#generation ?? 0 };
    const { id } = this.#instance;
    try {
      const { applied } = await backplane.change(this.#space, [
        { type: 'remove', kind: 'inst', id, owner: this.#owner, when },
      ]);
      return applied;
    } catch (error) {
      log.warn(
        { service, id, reason: reasonOf(error) },
        'could not deregister, the lease will end',
      );
      return false;
    }
  }

  /** Ends it and leaves what the store has to whoever registers under the same id next, or to the lease. */
  abandon(): void {
    if (!this.#hasEnded) this.#turn('ended');
  }

  get #hasEnded(): boolean {
    return this.#state === 'ended' || this.#state === 'superseded';
  }

  async #tell(): Promise<boolean> {
    this.#isDirty = true;
    return this.#beat();
  }

  #comeBack(): void {
    if (this.#hasEnded || !this.#options.backplane.status().connected) return;
    this.#callOff();
    this.#callOff = this.#schedule(this.#options.random() * COMEBACK_MS, () => void this.#beat());
  }

  /** One at a time; true where the store has what it should have. */
  async #beat(): Promise<boolean> {
    while (this.#beating !== undefined) await this.#beating;
    if (this.#hasEnded) return false;
    this.#callOff();
    this.#beating = this.#attempt();
    const isDone = await this.#beating;
    this.#beating = undefined;
    if (!this.#hasEnded)
      this.#callOff = this.#schedule(this.#nextDelayMs(), () => void this.#beat());
    return isDone;
  }

  #nextDelayMs(): number {
    const { random } = this.#options;
    return this.#failures === 0 ? heartbeatDelayMs(random) : retryDelayMs(this.#failures, random);
  }

  async #attempt(): Promise<boolean> {
    const { log, service } = this.#options;
    const { id } = this.#instance;
    try {
      if (!this.#isDirty) await this.#renew();
      if (this.#isDirty && !this.#hasEnded) await this.#put();
      if (!this.#hasEnded) await this.#index.announce();
    } catch (error) {
      this.#failures += 1;
      // Once a streak: the store may be away for hours.
      if (this.#failures === 1) {
        log.warn({ service, id, reason: reasonOf(error) }, 'could not register, will try again');
      }
      return false;
    }
    if (this.#failures > 0) log.info({ service, id }, 'registered again');
    this.#failures = 0;
    return !this.#hasEnded;
  }

  async #renew(): Promise<void> {
    const lease = { owner: this.#owner, leaseMs: LEASE_MS };
    const { backplane } = this.#options;
    const renewal = await backplane.renew(this.#space, 'inst', this.#instance.id, lease);
    if (renewal === 'superseded') this.#supersede();
    if (renewal === 'unknown') {
      // The store was emptied, or it lost us.
      this.#isDirty = true;
      this.#index.forget();
    }
  }

  async #put(): Promise<void> {
    const instance = this.#instance;
    const value = toInstanceValue(instance, this.#draining);
    const put: Mutation = {
      type: 'put',
      kind: 'inst',
      id: instance.id,
      value,
      owner: this.#owner,
      leaseMs: LEASE_MS,
      // The first time it takes over from whoever had the id; never again after that.
      when: this.#generation === undefined ? undefined : { notNewerThan: this.#generation },
    };
    this.#isDirty = false;
    let outcome: ChangeOutcome;
    try {
      outcome = await this.#options.backplane.change(this.#space, [put]);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
    if (!outcome.applied) {
      this.#supersede();
      return;
    }
    this.#generation = outcome.generations[0];
    if (!this.#hasEnded) this.#turn('registered');
  }

  #supersede(): void {
    if (this.#hasEnded) return;
    const { log, service } = this.#options;
    const { id } = this.#instance;
    log.warn({ service, id }, 'another instance has registered with the same id, this one ends');
    this.#turn('superseded');
  }

  #turn(state: RegistrationState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (this.#hasEnded) {
      this.#callOff();
      this.#forgetStatus();
    }
    this.#options.onState?.(state);
  }
}
