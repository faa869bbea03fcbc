/** A context and exchanges for plugin tests: no gateway behind them, every effect on record. */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Ajv } from 'ajv';
import {
  HeaderFields,
  type Consumer,
  type ConsumerDirectory,
  type Exchange,
  type LimitVerdict,
  type PluginContext,
  type PluginDefinition,
  type TSchema,
} from '../../src/plugins/sdk/plugin.ts';

/** Time that moves only when told. Wall and monotonic clock run together. */
export class TestClock {
  wallMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  monotonicMs = 1_000_000;

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  advance(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export interface TestContext extends PluginContext {
  readonly clock: TestClock;
  readonly lines: LogLine[];
  /** Counts by `name` or `name{label=value}`. */
  readonly counts: Map<string, number>;
}

/** A plugin's context; what a test does not give rejects when used. */
export function createTestContext(overrides: Partial<PluginContext> = {}): TestContext {
  const clock = new TestClock();
  const lines: LogLine[] = [];
  const counts = new Map<string, number>();
  const writer = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return {
    log: {
      debug: writer('debug'),
      info: writer('info'),
      warn: writer('warn'),
      error: writer('error'),
    },
    metrics: {
      counter: (name) => ({
        inc(labels, by = 1) {
          const pairs = Object.entries<string>(labels ?? {}).map(
            ([label, value]) => `${label}=${value}`,
          );
          const key = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
          counts.set(key, (counts.get(key) ?? 0) + by);
        },
      }),
    },
    counters: { limiter: (options) => createTestLimiter(clock, options) },
    random: () => 0.5,
    fetchJson: (url) => Promise.reject(new Error(`this test serves nothing at ${url}`)),
    readFile: (path) => Promise.reject(new Error(`this test has no file ${path}`)),
    route: 'orders',
    ...overrides,
    clock,
    lines,
    counts,
  };
}

function createTestLimiter(
  clock: TestClock,
  { points, windowMs }: { readonly points: number; readonly windowMs: number },
) {
  const windows = new Map<string, { spent: number; endsAt: number }>();
  const verdict = (key: string, cost: number, spend: boolean): LimitVerdict => {
    const now = clock.monotonic();
    const open = windows.get(key);
    const window =
      open !== undefined && open.endsAt > now ? open : { spent: 0, endsAt: now + windowMs };
    const spent = window.spent + cost;
    if (spend) windows.set(key, { spent, endsAt: window.endsAt });
    return {
      allowed: spent <= points,
      remaining: Math.max(0, points - spent),
      resetMs: window.endsAt - now,
    };
  };
  return {
    consume: (key: string, cost = 1) => verdict(key, cost, true),
    peek: (key: string, cost = 1) => verdict(key, cost, false),
  };
}

/**
 * A plugin's config as the gateway would hand it over: validated by the schema, defaults
 * filled in, checked. Throws an Error that names every issue.
 */
export function configure<Config extends TSchema>(
  definition: PluginDefinition<Config>,
  config: unknown,
): Parameters<typeof definition.create>[0] {
  const ajv = new Ajv({ useDefaults: true, allErrors: true, strict: true, allowUnionTypes: true });
  const filled: unknown = structuredClone(config);
  if (!ajv.validate(definition.config, filled)) throw new Error(ajv.errorsText(ajv.errors));
  const checked = filled as Parameters<typeof definition.create>[0];
  const issues = definition.check?.(checked) ?? [];
  if (issues.length > 0) {
    throw new Error(issues.map((issue) => `${issue.path}: ${issue.message}`).join('\n'));
  }
  return checked;
}

export interface TestConsumer extends Consumer {
  readonly apiKeys?: readonly string[];
  readonly jwt?: { readonly issuer: string; readonly subject: string };
}

/** Finds consumers by the credentials given in clear. */
export function createTestConsumers(consumers: readonly TestConsumer[]): ConsumerDirectory {
  const byHash = new Map<string, Consumer>();
  const bySubject = new Map<string, Consumer>();
  for (const consumer of consumers) {
    for (const key of consumer.apiKeys ?? []) {
      byHash.set(createHash('sha256').update(key).digest('hex'), consumer);
    }
    if (consumer.jwt !== undefined) {
      bySubject.set(JSON.stringify([consumer.jwt.issuer, consumer.jwt.subject]), consumer);
    }
  }
  return {
    byApiKeyHash: (hash) => byHash.get(hash),
    byJwt: (issuer, subject) => bySubject.get(JSON.stringify([issuer, subject])),
  };
}

export interface TestExchangeOptions {
  readonly method?: string;
  readonly scheme?: 'http' | 'https';
  readonly authority?: string;
  readonly path?: string;
  /** With its `?`. */
  readonly query?: string;
  /** A flat list of field lines. */
  readonly headers?: readonly string[];
  readonly contentLength?: number | undefined;
  readonly ip?: string;
  readonly route?: string;
  readonly consumers?: readonly TestConsumer[];
  readonly consumer?: Consumer;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly dryRun?: boolean;
  readonly status?: number;
  readonly responseHeaders?: readonly string[];
}

export interface TestExchange extends Exchange {
  /** Limits set on the request's body, in order. */
  readonly bodyLimits: number[];
  readonly requestTransforms: Duplex[];
  readonly responseTransforms: Duplex[];
}

/** An exchange as a lane would make it for a GET of http://api.example.com/orders. */
export function createTestExchange(options: TestExchangeOptions = {}): TestExchange {
  const authority = options.authority ?? 'api.example.com';
  const ip = options.ip ?? '192.0.2.7';
  const headers = new HeaderFields([...(options.headers ?? [])]);
  const bodyLimits: number[] = [];
  const requestTransforms: Duplex[] = [];
  const responseTransforms: Duplex[] = [];
  return {
    id: 'req-1',
    listener: 'http',
    peer: { ip, address: ip, port: 50_000, protocol: 'http/1.1', tls: undefined },
    request: {
      method: options.method ?? 'GET',
      scheme: options.scheme ?? 'http',
      host: authority.replace(/:\d+$/, '').toLowerCase(),
      authority,
      path: options.path ?? '/orders',
      query: options.query ?? '',
      headers,
      contentLength: 'contentLength' in options ? options.contentLength : 0,
      bodyBytes: undefined,
      queryParam(name) {
        return new URLSearchParams(this.query).get(name) ?? undefined;
      },
      cookie(name) {
        const pairs = headers.getAll('cookie').flatMap((line) => line.split(';'));
        const pair = pairs.find((one) => one.trim().startsWith(`${name}=`));
        return pair?.trim().slice(name.length + 1);
      },
      limitBody: (maxBytes) => void bodyLimits.push(maxBytes),
      transformBody: (transform) => void requestTransforms.push(transform),
    },
    response: {
      status: options.status ?? 0,
      headers: new HeaderFields([...(options.responseHeaders ?? [])]),
      source: 'upstream',
      transformBody: (transform) => void responseTransforms.push(transform),
    },
    route: options.route ?? 'orders',
    service: '',
    consumers: createTestConsumers(options.consumers ?? []),
    consumer: options.consumer,
    claims: options.claims,
    state: new Map(),
    dryRun: options.dryRun ?? false,
    signal: new AbortController().signal,
    bodyLimits,
    requestTransforms,
    responseTransforms,
  };
}
