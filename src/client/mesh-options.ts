/** What `createMesh` takes. */
import type { PolicyName } from '../mesh/balancing/policies.ts';
import type { FailurePercentageRules, SuccessRateRules } from '../mesh/health/outlier-rules.ts';
import type { RetryCondition } from '../mesh/resilience/retry-policy.ts';
import type { Log } from '../plugins/sdk/plugin-context.ts';

export interface MeshOptions {
  /**
   * The Redis (7 or later, or Valkey) that the mesh shares: `redis[s]://[user][:password@]host[:port][/database]`,
   * or an object for Sentinel, a cluster, users and TLS.
   */
  readonly redis: string | RedisOptions;
  /** Begins every key in Redis; those with the same one are one mesh. Default `meshgate`. */
  readonly namespace?: string | undefined;
  readonly node?: NodeOptions | undefined;
  /**
   * A directory of this process alone, where the last known endpoints are kept: with them it
   * can start, and call, while Redis is down. Made with mode 0700. Default: in memory alone.
   */
  readonly dataDir?: string | undefined;
  /**
   * Services to look for from the start on, by name, and how they are called. Others are looked
   * for on their first call, and called by the defaults.
   */
  readonly services?: Readonly<Record<string, ServiceSettings>> | undefined;
  /** What follows a service's name in a host name. Default `.mesh`. */
  readonly suffix?: string | undefined;
  /**
   * How long calls to a service that this process has never heard of wait to hear of it, in
   * milliseconds from the first of them; 0: they fail at once. Where Redis is away they do not
   * wait for it. No other call ever waits for Redis. Default 1000.
   */
  readonly discoveryTimeoutMs?: number | undefined;
  /** Such as a pino logger, Fastify's `app.log` or `console`. Default: silent. */
  readonly log?: Log | undefined;
}

export interface NodeOptions {
  /** Of this process alone, among all of the mesh. Default: the host name and a random suffix. */
  readonly name?: string | undefined;
  /** Where it runs: endpoints of the same zone are preferred. Default: zones do not matter. */
  readonly zone?: string | undefined;
}

/** One server by `url`, or `sentinels` and `name`, or `cluster`. Addresses are `host:port`. */
export interface RedisOptions {
  readonly url?: string | undefined;
  readonly sentinels?: readonly string[] | undefined;
  /** Of the master group that the Sentinels watch. */
  readonly name?: string | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** Some nodes; the others are found through them. */
  readonly cluster?: readonly string[] | undefined;
  /** An ACL user. Default: the default user's password is used. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** `true`: TLS with the runtime's roots. Default: plain, but for `rediss:`. */
  readonly tls?: boolean | TlsOptions | undefined;
}

/** PEM texts, not files. */
export interface TlsOptions {
  /** Name to ask for by SNI and to verify. Default: the host that is connected to. */
  readonly serverName?: string | undefined;
  /** Default: the runtime's roots. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Default true. */
  readonly verify?: boolean | undefined;
}

/** How a service is called. Times are in milliseconds. */
export interface ServiceSettings {
  /** `h2c`: HTTP/2 without TLS; `https`: HTTP/1.1 over TLS; `h2`: HTTP/2 over TLS. Default `http1`. */
  readonly protocol?: 'http1' | 'h2c' | 'https' | 'h2' | undefined;
  /** For `https` and `h2`. */
  readonly tls?: TlsOptions | undefined;
  readonly balancer?: BalancerSettings | undefined;
  readonly retry?: RetrySettings | undefined;
  /** A second try beside one that is slow; the first answer wins. Default: none. */
  readonly hedge?: HedgeSettings | undefined;
  readonly timeouts?: TimeoutSettings | undefined;
  readonly circuitBreaker?: CircuitBreakerSettings | undefined;
  /** Puts endpoints aside for a while whose requests fail; `false`: never. Default: on. */
  readonly outlierDetection?: OutlierSettings | false | undefined;
  /** This process looks at every endpoint time and again. Default: it does not. */
  readonly healthCheck?: HealthCheckSettings | undefined;
}

export interface BalancerSettings {
  /** Default `round-robin`. */
  readonly policy?: PolicyName | undefined;
  /** For `ring-hash` and `maglev`: the header field whose value keeps a call on an endpoint. */
  readonly hashOn?: { readonly header: string } | undefined;
  /** With a hash: no endpoint gets more than so many times its part, from 1. Default: no bound. */
  readonly hashBalanceFactor?: number | undefined;
  /** An endpoint that is new, or well again, gets its share little by little. Default: at once. */
  readonly slowStart?:
    | {
        /** Default 30 000. */
        readonly windowMs?: number | undefined;
        /** Above 1 the share grows fast at first. Default 1, a straight line. */
        readonly aggression?: number | undefined;
      }
    | undefined;
  /** Default: where `node.zone` is set and the policy goes by no hash. */
  readonly zoneAware?: boolean | undefined;
}

/** Only idempotent calls, or such as never left, are tried again. */
export interface RetrySettings {
  /** Extra tries, each at another endpoint, 0 to 10. Default 1. */
  readonly attempts?: number | undefined;
  /** Default `connect-failure`, `refused-stream`, `reset`, 502, 503, 504. */
  readonly on?: readonly RetryCondition[] | undefined;
  /** Over one whole try; 0 is none. Default 0. */
  readonly perTryTimeoutMs?: number | undefined;
  readonly budget?:
    | {
        /** Retries per call on average, 0 to 1. Default 0.2. */
        readonly ratio?: number | undefined;
        /** Retries a second that are always allowed. Default 10. */
        readonly minPerSecond?: number | undefined;
      }
    | undefined;
}

/** Only idempotent calls are hedged, within the budget of `retry`. */
export interface HedgeSettings {
  /** Of an endpoint's recent answers: a try slower than this share is hedged, 0.5 to 0.999. Default 0.95. */
  readonly percentile?: number | undefined;
  /** Never sooner than this. Default 10. */
  readonly minDelayMs?: number | undefined;
  /** Hedges to one call, each at another endpoint, 1 to 4. Default 1. */
  readonly attempts?: number | undefined;
}

export interface TimeoutSettings {
  /** To an open connection. Default 2000. */
  readonly connectMs?: number | undefined;
  /** From sending to the answer's head; 0 is none. Default 15 000. */
  readonly responseMs?: number | undefined;
  /** Between two pieces of a body; 0 is none. Default 60 000. */
  readonly idleMs?: number | undefined;
  /** How long an idle connection is kept; shorter than the service's own. Default 4000. */
  readonly keepAliveMs?: number | undefined;
}

/** Over these, calls are refused at once. */
export interface CircuitBreakerSettings {
  /** To one endpoint. Default 1024. */
  readonly maxConnections?: number | undefined;
  /** Calls that wait for a connection. Default 1024. */
  readonly maxPending?: number | undefined;
  /** Calls in flight. Default 1024. */
  readonly maxRequests?: number | undefined;
}

/** `false` turns a detector off. */
export interface OutlierSettings {
  /** Answers 5xx and failures in a row. Default 5. */
  readonly consecutive5xx?: number | false | undefined;
  /** Answers 502, 503, 504 and failures in a row. Default: off. */
  readonly consecutiveGatewayFailure?: number | false | undefined;
  /** Tries in a row without an answer. Default 5. */
  readonly consecutiveLocalOriginFailure?: number | false | undefined;
  /** Default 10 000. */
  readonly intervalMs?: number | undefined;
  /** Times how often it has been put aside. Default 30 000. */
  readonly baseEjectionTimeMs?: number | undefined;
  /** Default 300 000. */
  readonly maxEjectionTimeMs?: number | undefined;
  /** Of the endpoints at one time; one always may be. Default 10. */
  readonly maxEjectionPercent?: number | undefined;
  /** Default 5 hosts, 100 requests, 1.9 standard deviations. */
  readonly successRate?: Partial<SuccessRateRules> | false | undefined;
  /** Default: off; `{}` is 85 in a hundred, 5 hosts, 50 requests. */
  readonly failurePercentage?: Partial<FailurePercentageRules> | false | undefined;
}

/** One of `http`, `tcp` and `grpc`, and how often. */
export interface HealthCheckSettings {
  /** By GET: 2xx passes, 429 changes nothing, else fails. `path` is `/` by default. */
  readonly http?:
    | { readonly path?: string | undefined; readonly host?: string | undefined }
    | undefined;
  /** By opening a connection. */
  readonly tcp?: true | Readonly<Record<string, never>> | undefined;
  /** By `grpc.health.v1`; `service` is the server as a whole by default. */
  readonly grpc?: { readonly service?: string | undefined } | undefined;
  /** Between two looks. Default 5000. */
  readonly intervalMs?: number | undefined;
  /** For one look. Default 1000. */
  readonly timeoutMs?: number | undefined;
  /** Passes in a row until it is healthy again. Default 2. */
  readonly healthyThreshold?: number | undefined;
  /** Failures in a row until it is unhealthy. Default 3. */
  readonly unhealthyThreshold?: number | undefined;
}

/** An instance of a service: this process, or another one beside it. */
export interface RegisterOptions {
  /** Under which others call it, as `http://<service>.mesh`: lower-case letters, digits, `.`, `_`, `-`. */
  readonly service: string;
  /** Where it listens: `host:port`, or a port of this machine. */
  readonly address: string | number;
  /**
   * What others are told to connect to, as `host:port`. Default: `address`; for a port alone, or
   * `0.0.0.0`, the address by which this machine reaches Redis.
   */
  readonly advertise?: string | undefined;
  /** The same after a restart. Default: what others are told to connect to. */
  readonly id?: string | undefined;
  /** What callers choose by, such as `version`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Share of the calls, in proportion to the others; 0: none. Default 1. */
  readonly weight?: number | undefined;
  /** Lower is preferred; others are called when too few of it are well. 0 to 127, default 0. */
  readonly priority?: number | undefined;
  /** Default: `node.zone`. */
  readonly zone?: string | undefined;
  /** What it speaks, for its health check. Default `http1`. */
  readonly protocol?: 'http1' | 'h2c' | undefined;
  /**
   * It is registered when this passes, drained while it fails. Default: TCP, every 2 s, unhealthy
   * after three failures. `false`: it is registered at once, and looked at by nobody.
   */
  readonly healthCheck?: HealthCheckSettings | false | undefined;
  /** Gives the registration up while it is not registered yet. */
  readonly signal?: AbortSignal | undefined;
}
