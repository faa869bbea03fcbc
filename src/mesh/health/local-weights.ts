/** Adaptive weights of a service that is not of the mesh: by what this node sees alone. */
import type { Schedule } from '../backplane/schedule.ts';
import { heartbeatDelayMs } from '../backplane/timing.ts';
import { stepFactors, type WeightFactor } from './adaptive-weight.ts';
import { combineTraffic } from './combined-traffic.ts';
import type { SharedService } from './shared-service.ts';
import { TrafficMeter } from './traffic-meter.ts';
import { WeightBoard, type FactorView } from './weight-board.ts';

export interface LocalWeightsEnvironment {
  readonly nodeId: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly schedule: Schedule;
  readonly onFactorChange: (service: string, view: FactorView) => void;
}

export class LocalWeights {
  readonly service: SharedService;
  readonly #environment: LocalWeightsEnvironment;
  readonly #meter = new TrafficMeter();
  readonly #board: WeightBoard;
  #factors: ReadonlyMap<string, WeightFactor> = new Map();
  #callOff = (): void => {};

  constructor(service: SharedService, environment: LocalWeightsEnvironment) {
    this.service = service;
    this.#environment = environment;
    this.#board = new WeightBoard((view) => environment.onFactorChange(service.name, view));
  }

  get factors(): readonly FactorView[] {
    return this.#board.views;
  }

  isOwnCheck(): boolean {
    return true;
  }

  start(): void {
    const { schedule, random } = this.#environment;
    this.#callOff = schedule(heartbeatDelayMs(random), () => {
      this.#step();
      this.start();
    });
  }

  async stop(): Promise<void> {
    this.#callOff();
  }

  #step(): void {
    const { endpoints } = this.service;
    const seen = this.#meter.read(endpoints);
    const traffic = combineTraffic([{ node: this.#environment.nodeId, endpoints: seen }]);
    this.#factors = stepFactors(traffic, this.#factors);
    if (this.#board.apply(endpoints, this.#factors)) this.service.refresh();
  }
}
