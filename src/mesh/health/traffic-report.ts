/** What one node saw of a service's endpoints lately, as it tells the others. */
import type { Json } from '../backplane/backplane.ts';

export interface EndpointTraffic {
  readonly id: string;
  /** Tries of the last seconds, older ones counting less. */
  readonly requests: number;
  /** 5xx and tries without an answer among them. */
  readonly failures: number;
  /** Of answers that are no failures, to the first byte; 0: not measured. */
  readonly latencyMs: number;
}

export interface TrafficReport {
  readonly node: string;
  readonly endpoints: readonly EndpointTraffic[];
}

export function toTrafficValue({ node, endpoints }: TrafficReport): Json {
  return {
    node,
    seen: endpoints.map(({ id, requests, failures, latencyMs }) => [
      id,
      round(requests),
      round(failures),
      round(latencyMs),
    ]),
  };
}

/** A tenth is enough for anybody, and a third of the bytes. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Undefined for what is no such report; rows that cannot be are left out. */
export function parseTrafficReport(value: unknown): TrafficReport | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { node, seen } = value as Record<string, unknown>;
  if (typeof node !== 'string' || !Array.isArray(seen)) return undefined;
  return { node, endpoints: seen.map(parseRow).filter((row) => row !== undefined) };
}

function parseRow(row: unknown): EndpointTraffic | undefined {
  if (!Array.isArray(row)) return undefined;
  const [id, requests, failures, latencyMs] = row as readonly unknown[];
  if (typeof id !== 'string') return undefined;
  if (!isCount(requests) || !isCount(failures) || !isCount(latencyMs)) return undefined;
  return { id, requests, failures: Math.min(failures, requests), latencyMs };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
