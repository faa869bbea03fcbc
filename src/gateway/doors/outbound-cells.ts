/** Metric cells of the outbound door: of a service that exists its own, for all other names together one. */
import type { Service } from '../../mesh/service/service.ts';
import type { HeldCells, RequestMetrics } from '../observe/request-metrics.ts';
import { OUTBOUND } from './door-listeners.ts';

/**
 * Callers choose the names: one that nothing is registered under gets no label, or a typo in a
 * loop would fill the metrics.
 */
export class OutboundCells implements HeldCells {
  readonly #service: Service;
  readonly #cellsOf: RequestMetrics['cellsOf'];
  readonly #nameless: HeldCells;
  #own: HeldCells | undefined;

  constructor(service: Service, cellsOf: RequestMetrics['cellsOf']) {
    this.#service = service;
    this.#cellsOf = cellsOf;
    this.#nameless = cellsOf(OUTBOUND);
  }

  record(listener: string, service: string, method: string, status: number, seconds: number): void {
    if (service !== '' && this.#own === undefined && this.#service.endpoints.length > 0) {
      this.#own = this.#cellsOf(OUTBOUND, service);
    }
    if (service === '' || this.#own === undefined) {
      this.#nameless.record(listener, '', method, status, seconds);
    } else {
      this.#own.record(listener, service, method, status, seconds);
    }
  }

  rateLimited(): void {
    this.#nameless.rateLimited();
  }

  release(): void {
    this.#nameless.release();
    this.#own?.release();
  }
}
