/** An application beside this node: in the mesh while it passes its health check, drained before it goes. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import { scheduleTimer, type Schedule } from '../backplane/schedule.ts';
import { toEndpointId, type EndpointSpec } from '../endpoint.ts';
import type { CheckRules } from '../health/active-checks.ts';
import { createCheckHistory, judgeCheck } from '../health/check-verdict.ts';
import type { Probe, ProbeAttempt, ProbeReport } from '../health/probe.ts';
import type { Registration } from '../registry/registration.ts';
import type { Destination } from './advertised-host.ts';

export interface LocalInstanceOptions {
  readonly registration: Pick<
    Registration,
    'start' | 'drain' | 'resume' | 'deregister' | 'abandon'
  >;
  /** Where the application itself listens. */
  readonly application: Destination;
  readonly probe: Probe;
  readonly rules: CheckRules;
  readonly log: Log;
  readonly schedule?: Schedule | undefined;
}

/** Until the application answers for the first time: it and this node are mostly started together. */
const FIRST_LOOKS_MS = 250;

/** How long callers are given to hear that an instance drains: ten times what it mostly takes. */
export const DRAIN_NOTICE_MS = 1000;

export class LocalInstance {
  readonly #options: LocalInstanceOptions;
  readonly #application: EndpointSpec;
  readonly #schedule: Schedule;
  readonly #history = createCheckHistory();
  #healthy = false;
  #isRegistered = false;
  #isLeaving = false;
  #attempt: ProbeAttempt | undefined;
  #callOff = (): void => {};

  constructor(options: LocalInstanceOptions) {
    const { host, port } = options.application;
    this.#options = options;
    this.#application = { id: toEndpointId(host, port), host, port, weight: 1, metadata: {} };
    this.#schedule = options.schedule ?? scheduleTimer;
  }

  /** Whether the application passed when it was last looked at. */
  get healthy(): boolean {
    return this.#healthy;
  }

  start(): void {
    this.#look();
  }

  /** Tells all callers to send no new requests. True once the store has it. */
  async drain(): Promise<boolean> {
    this.#stopLooking();
    return this.#isRegistered && (await this.#options.registration.drain());
  }

  /** Takes it out of the mesh; to be called once what was in flight has ended. */
  async leave(): Promise<void> {
    this.#stopLooking();
    if (this.#isRegistered) await this.#options.registration.deregister();
  }

  /** Gives way to another of the same id, which is about to take its place in the mesh. */
  abandon(): void {
    this.#stopLooking();
    if (this.#isRegistered) this.#options.registration.abandon();
  }

  #stopLooking(): void {
    this.#isLeaving = true;
    this.#callOff();
    this.#attempt?.cancel();
    this.#attempt = undefined;
  }

  #look(): void {
    const { probe, rules } = this.#options;
    this.#attempt = probe(this.#application, rules.timeoutMs, (report) => {
      this.#attempt = undefined;
      this.#note(report);
      const { intervalMs } = rules;
      const delayMs = this.#isRegistered ? intervalMs : Math.min(intervalMs, FIRST_LOOKS_MS);
      this.#callOff = this.#schedule(delayMs, () => this.#look());
    });
  }

  #note({ result, detail }: ProbeReport): void {
    const { rules, log, registration } = this.#options;
    const before = this.#healthy;
    this.#healthy = judgeCheck(this.#history, result, before, rules);
    if (this.#healthy === before || this.#isLeaving) return;
    const application = this.#application.id;
    if (!this.#healthy) {
      log.warn({ application, detail }, 'the application fails its check, drained');
      void registration.drain();
    } else if (this.#isRegistered) {
      log.info({ application }, 'the application passes its check again');
      void registration.resume();
    } else {
      this.#isRegistered = true;
      log.info({ application }, 'the application passes its check, registered');
      void registration.start();
    }
  }
}
