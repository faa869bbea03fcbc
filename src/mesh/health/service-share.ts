/** One service of the mesh on this node: tells the others what is seen of its endpoints, and goes by what they tell. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Backplane, Json } from '../backplane/backplane.ts';
import { reasonOf } from '../backplane/backplane-error.ts';
import type { Schedule } from '../backplane/schedule.ts';
import { heartbeatDelayMs, LEASE_MS } from '../backplane/timing.ts';
import type { Endpoint } from '../endpoint.ts';
import { isServiceName } from '../registry/instance.ts';
import type { WeightFactor } from './adaptive-weight.ts';
import { toHintValue } from './health-hint.ts';
import { checksIdOf, HeardHealth, hintIdOf } from './heard-health.ts';
import { OwnRecords } from './own-records.ts';
import { QuorumEjections, type TrafficByEndpoint } from './quorum-ejections.ts';
import { SharedChecks } from './shared-checks.ts';
import type { SharedService } from './shared-service.ts';
import { SharedTraffic } from './shared-traffic.ts';
import { TrafficMeter } from './traffic-meter.ts';
import { toCheckerValue } from './verdict-share.ts';
import { WeightBoard, type FactorView } from './weight-board.ts';

export interface ShareEnvironment {
  readonly backplane: Backplane;
  readonly nodeId: string;
  /** Of this run of this node alone. */
  readonly owner: string;
  /** Names of the nodes that are alive, as last heard. */
  readonly liveNodes: () => readonly string[];
  readonly monotonic: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly schedule: Schedule;
  readonly log: Log;
  readonly onFactorChange: (service: string, view: FactorView) => void;
}

/** A handful of ejections in one go is one change. */
const GATHER_MS = 20;
/** The first beat of a node that starts; services do not all begin at once. */
const FIRST_BEAT_MS = 1_000;
/** Shorter than the shortest pause between two beats of one node, so that a lone node has every turn. */
const TURN_MS = 3_900;
/** Who has traffic to an endpoint is asked anew after this time, while it matters. */
const TRAFFIC_MS = 2_000;

const NO_FACTORS: ReadonlyMap<string, WeightFactor> = new Map();
const NO_SUSPECTS: ReadonlyMap<string, string> = new Map();

/**
 * Apart from the service's instances: who follows these need not look at 10,000 of them anew
 * because somebody put an endpoint aside. Undefined for a name that no service of the mesh has.
 */
export function healthSpaceOf(service: string): string | undefined {
  return isServiceName(service) ? `health:${service}` : undefined;
}

export class ServiceShare {
  readonly service: SharedService;
  /** Names this node's word on this service; two services may be one in the mesh. */
  readonly from: string;
  readonly #environment: ShareEnvironment;
  readonly #space: string;
  readonly #checks: SharedChecks;
  readonly #sharedTraffic: SharedTraffic;
  readonly #heard = new HeardHealth();
  readonly #records: OwnRecords;
  readonly #ejections: QuorumEjections;
  readonly #meter = new TrafficMeter();
  readonly #board: WeightBoard;
  #traffic: { readonly atMs: number; readonly by: TrafficByEndpoint } | undefined;
  #isAskingTraffic = false;
  #writing: Promise<void> = Promise.resolve();
  #callOffBeat = (): void => {};
  #callOffPublish: (() => void) | undefined;
  #isFailing = false;
  #isStopped = false;
  #unlisten: readonly (() => void)[] = [];

  constructor(service: SharedService, space: string, environment: ShareEnvironment) {
    const { backplane, nodeId, owner, onFactorChange } = environment;
    this.service = service;
    this.from = `${service.name}@${nodeId}`;
    this.#environment = environment;
    this.#space = space;
    this.#checks = new SharedChecks(nodeId, service);
    this.#sharedTraffic = new SharedTraffic(backplane, space);
    this.#records = new OwnRecords(backplane, space, owner);
    this.#ejections = new QuorumEjections(nodeId, service);
    this.#board = new WeightBoard((view) => onFactorChange(service.name, view));
  }

  get factors(): readonly FactorView[] {
    return this.#board.views;
  }

  isOwnCheck(endpoint: Endpoint): boolean {
    return this.#checks.isOwn(endpoint);
  }

  start(): void {
    const { backplane, schedule, random } = this.#environment;
    this.#unlisten = [
      this.service.health.listen(() => this.#publishSoon()),
      backplane.onStatus(() => this.#publishSoon()),
      backplane.watch(this.#space, (view) => {
        this.#heard.hear(view);
        this.#settle();
      }),
    ];
    this.#callOffBeat = schedule(random() * FIRST_BEAT_MS, () => void this.#beat());
  }

  /** `takeBack`: nobody else on this node goes on in its name. */
  async stop(takeBack: boolean): Promise<void> {
    this.#isStopped = true;
    for (const unlisten of this.#unlisten) unlisten();
    this.#callOffBeat();
    this.#callOffPublish?.();
    if (!takeBack) return;
    const nothing = new Map([
      [hintIdOf(this.from), undefined],
      [checksIdOf(this.from), undefined],
    ]);
    await this.#inTurn(() => this.#records.write(nothing)).catch((error: unknown) =>
      this.#noteFailure(error),
    );
  }

  async #beat(): Promise<void> {
    const { schedule, random, nodeId } = this.#environment;
    this.#settle();
    const endpoints = this.#meter.read(this.service.endpoints);
    try {
      await this.#inTurn(() => this.#records.renew());
      this.#checks.updateCovers();
      await this.#publish();
      if (endpoints.length > 0) {
        await this.#sharedTraffic.report(this.from, { node: nodeId, endpoints });
      }
      if (this.#hasWork(endpoints.length > 0)) await this.#takeTurn();
      this.#isFailing = false;
    } catch (error) {
      this.#noteFailure(error);
    }
    if (!this.#isStopped) {
      this.#callOffBeat = schedule(heartbeatDelayMs(random), () => void this.#beat());
    }
  }

  #hasWork(hasTraffic: boolean): boolean {
    const { hints, checkers, factors } = this.#heard;
    return hints.length > 0 || checkers.length > 0 || this.#isAdaptive(hasTraffic, factors.size);
  }

  #isAdaptive(hasTraffic: boolean, factors: number): boolean {
    return this.service.adaptiveWeights && (hasTraffic || factors > 0);
  }

  #publishSoon(): void {
    this.#callOffPublish ??= this.#environment.schedule(GATHER_MS, () => {
      this.#callOffPublish = undefined;
      this.#publish().catch((error: unknown) => this.#noteFailure(error));
    });
  }

  /** Alone, there is nobody to tell, and nothing to write to the disk for. */
  async #publish(): Promise<void> {
    if (this.#isStopped) return;
    const { liveNodes, nodeId } = this.#environment;
    const isAlone = liveNodes().every((node) => node === nodeId);
    const wanted = new Map<string, Json | undefined>([
      [hintIdOf(this.from), isAlone ? undefined : this.#toHint()],
    ]);
    const { key, covers } = this.#checks;
    if (key !== undefined) {
      const checker = { node: nodeId, key, covers };
      wanted.set(checksIdOf(this.from), isAlone ? undefined : toCheckerValue(checker));
    }
    await this.#inTurn(() => this.#records.write(wanted));
  }

  /** What goes to the records, one after the other. */
  async #inTurn(run: () => Promise<void>): Promise<void> {
    const before = this.#writing;
    const writing = before.catch(() => undefined).then(run);
    this.#writing = writing;
    await writing;
  }

  #toHint(): Json | undefined {
    const own = this.service.endpoints.filter((one) => one.ejected && !one.ejectedByQuorum);
    const ejected = new Set(own.map(({ id }) => id));
    return toHintValue({
      node: this.#environment.nodeId,
      ejected,
      failing: this.#checks.failing(),
    });
  }

  /** Brings the endpoints in line with what was heard. */
  #settle(): void {
    if (this.#isStopped) return;
    const { nodeId, liveNodes, monotonic, backplane } = this.#environment;
    const { connected, stalenessMs } = backplane.status();
    // What was said before a silence of a lease counts no longer; the factors stand.
    const isCutOff = !connected && stalenessMs > LEASE_MS;
    const live = new Set(isCutOff ? [] : liveNodes());
    const isOther = ({ node }: { readonly node: string }): boolean =>
      node !== nodeId && live.has(node);
    const hints = this.#heard.hints.filter(isOther);
    this.#checks.settle(this.#heard.checkers.filter(isOther), hints);
    const { suspects, wantsTraffic } = this.#ejections.settle(hints, this.#traffic?.by);
    const isStale = this.#traffic === undefined || monotonic() - this.#traffic.atMs > TRAFFIC_MS;
    if (wantsTraffic && isStale) void this.#askTraffic();
    const { adaptiveWeights, endpoints } = this.service;
    const factors = adaptiveWeights ? this.#heard.factors : NO_FACTORS;
    if (this.#board.apply(endpoints, factors, adaptiveWeights ? suspects : NO_SUSPECTS)) {
      this.service.refresh();
    }
  }

  async #askTraffic(): Promise<void> {
    if (this.#isAskingTraffic) return;
    this.#isAskingTraffic = true;
    try {
      const by = await this.#sharedTraffic.byEndpoint();
      this.#traffic = { atMs: this.#environment.monotonic(), by };
    } catch (error) {
      this.#noteFailure(error);
      return;
    } finally {
      this.#isAskingTraffic = false;
    }
    this.#settle();
  }

  /** One node at a time does what is to be done once. */
  async #takeTurn(): Promise<void> {
    const { backplane } = this.#environment;
    const { adaptiveWeights } = this.service;
    const kind = adaptiveWeights ? 'weights' : 'sweep';
    if (!(await backplane.takeTurn(`${kind}:${this.#space}`, TURN_MS))) return;
    await backplane.expire(this.#space, 'hint', { maxShare: 1, restMs: LEASE_MS });
    if (adaptiveWeights) await this.#sharedTraffic.stepFactors(this.#heard);
  }

  /** Once a streak: the backplane may be away for hours. */
  #noteFailure(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { log } = this.#environment;
    const service = this.service.name;
    log.debug({ service, reason: reasonOf(error) }, 'what is seen of a service cannot be shared');
  }
}
