/** What undici's callers ask for, as the request that a service is called with. */
import { stringify } from 'node:querystring';
import { errors, type Dispatcher } from 'undici';
import type { LoadSet } from '../balancing/load-set.ts';
import { xxHash64 } from '../balancing/xxhash64.ts';
import type { HedgeRules } from '../resilience/hedge-policy.ts';
import type { RetryRules } from '../resilience/retry-policy.ts';
import type { BodySource } from '../transport/body-source.ts';
import type { CallRequest, TryHead, TryTimeouts } from './call.ts';
import { toCallerBody } from './dispatch-body.ts';
import { parseCallerFields } from './dispatch-fields.ts';
import type { Service } from './service.ts';

export interface DispatchFacts {
  /** For a request without Host. */
  readonly authority: string;
  /** Name in lower case of the header field whose value is the key of a hashing policy. */
  readonly hashHeader: string | undefined;
}

/** As a service's own rules have it, but for what the options say otherwise. */
export class DispatchRequest implements CallRequest {
  readonly method: string;
  readonly subset: LoadSet;
  readonly body: BodySource | undefined;
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
  readonly retry: RetryRules;
  readonly hedge: HedgeRules | undefined;
  readonly perTryTimeoutMs: number;
  readonly timeoutMs = 0;
  readonly timeouts: TryTimeouts;
  readonly hash: number | undefined;
  readonly #head: TryHead;

  /** Throws undici's InvalidArgumentError and its kin. */
  constructor(
    options: Dispatcher.DispatchOptions,
    service: Service,
    subset: LoadSet,
    { authority, hashHeader }: DispatchFacts,
  ) {
    this.method = parseMethod(options.method);
    this.upgrade = parseUpgrade(options.upgrade);
    this.timeouts = {
      responseMs: parseTimeoutMs(options.headersTimeout) ?? service.timeouts.responseMs,
      idleMs: parseTimeoutMs(options.bodyTimeout) ?? service.timeouts.idleMs,
    };
    this.subset = subset;
    this.retry = service.retry;
    this.hedge = service.hedge;
    this.perTryTimeoutMs = service.perTryTimeoutMs;
    const target = parseTarget(options.path, options.query);
    const { fields, host, contentLength, hasContentType } = parseCallerFields(options.headers);
    this.hash = hashHeader === undefined ? undefined : hashOf(fields, hashHeader);
    // Last, since a body that has been taken over must be given back.
    const { source, contentType } = toCallerBody(options.body, contentLength);
    if (contentType !== undefined && !hasContentType) fields.push('content-type', contentType);
    this.body = source;
    this.expectContinue = options.expectContinue === true && source !== undefined;
    this.#head = { target, authority: host ?? authority, headers: fields };
  }

  toTry(): TryHead {
    return this.#head;
  }
}

/** Undefined where the request does not have the field. */
function hashOf(fields: readonly string[], name: string): number | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() === name) return xxHash64(fields[i + 1]!);
  }
  return undefined;
}

function parseMethod(method: unknown): string {
  if (typeof method !== 'string') throw invalid('the method must be a string');
  if (method === 'CONNECT') {
    throw new errors.NotSupportedError('a service of the mesh is no proxy: CONNECT is not for it');
  }
  return method;
}

function parseUpgrade(upgrade: unknown): string | undefined {
  if (upgrade === undefined || upgrade === null || upgrade === false) return undefined;
  if (typeof upgrade !== 'string' || upgrade === '') throw invalid('upgrade must be a protocol');
  return upgrade;
}

/** 0 is none; undefined leaves it to the service. */
function parseTimeoutMs(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null) return undefined;
  if (typeof timeout !== 'number' || !Number.isFinite(timeout) || timeout < 0) {
    throw invalid('a timeout must be a number of milliseconds');
  }
  return timeout;
}

function parseTarget(path: unknown, query: Dispatcher.DispatchOptions['query']): string {
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw invalid('the path must be a string that starts with a slash');
  }
  if (query === undefined || query === null) return path;
  if (path.includes('?') || path.includes('#')) {
    throw invalid('query is not for a path that has a query or a fragment already');
  }
  const text = stringify(query);
  return text === '' ? path : `${path}?${text}`;
}

function invalid(message: string): Error {
  return new errors.InvalidArgumentError(message);
}
