/** What each error code means and what helps against it: the one source of `docs/errors.md`. */
import type { ErrorCode } from '../src/errors.ts';

export interface ErrorEntry {
  /** Status of the answer; where a code has several, the usual one. */
  readonly status: number;
  /** Written to the log alone: nobody is left to be answered. */
  readonly logOnly?: true;
  /** When it happens. */
  readonly meaning: string;
  /** What the caller, or whoever runs the gateway, can do. */
  readonly remedy: string;
}

/** A code of the union without an entry does not compile. */
export const ERROR_REFERENCE: Readonly<Record<ErrorCode, ErrorEntry>> = {
  bad_request: {
    status: 400,
    meaning:
      'The bytes are no request, or one that two readers would read differently: ambiguous framing, a malformed field, a path without one normal form (`%2F` included, unless the route has `allowEncodedSlash`). 405 for `CONNECT` and `TRACE`. Also when the body breaks its framing on the way.',
    remedy: 'Correct the request; `detail` says what is wrong with it.',
  },
  uri_too_long: {
    status: 414,
    meaning: "The request target is longer than the listener's `limits.url`.",
    remedy: 'Send the data in a body, or raise the limit.',
  },
  headers_too_large: {
    status: 431,
    meaning:
      "The header fields are more than the listener's `limits.headerFields`, or larger than `limits.headers`.",
    remedy: 'Send fewer or smaller fields (often cookies), or raise the limit.',
  },
  payload_too_large: {
    status: 413,
    meaning:
      "The body is larger than the listener's `limits.body` or the route's `body-limit`: announced so, or found out while it streamed; then the upstream's request is broken off.",
    remedy: 'Send less, or raise the limit.',
  },
  request_timeout: {
    status: 408,
    meaning:
      "The head of the request did not arrive within the listener's `limits.headerTimeout`, or its body came more slowly than `limits.minBodyRate`.",
    remedy: 'Send it at once; on a new connection.',
  },
  expectation_failed: {
    status: 417,
    meaning: '`Expect` asks for something other than `100-continue`.',
    remedy: 'Leave the field out.',
  },
  misdirected_request: {
    status: 421,
    meaning: "The listener's `hosts` leave the name out, and those of another listener have it.",
    remedy: 'Connect anew, to the right port; browsers do so by themselves.',
  },
  no_route: {
    status: 404,
    meaning: 'No route of this listener matches the request, or its `hosts` leave out the name.',
    remedy: '`meshgate explain METHOD URL` tells why each route lost.',
  },
  unauthenticated: {
    status: 401,
    meaning: 'A plugin wants to know who is asking: the credential is missing, wrong or expired.',
    remedy: 'Send the credential that `WWW-Authenticate` asks for.',
  },
  forbidden: {
    status: 403,
    meaning: 'Who is asking is known, or the address is, and may not do this.',
    remedy: "Ask for the group, claim or address range that the route's plugins want.",
  },
  rate_limited: {
    status: 429,
    meaning: 'A `rate-limit` has been used up. The status may be another one by configuration.',
    remedy: 'Wait for `Retry-After` seconds; `RateLimit` tells what is left.',
  },
  no_healthy_endpoint: {
    status: 503,
    meaning:
      "The service has no endpoint that may be chosen: none is known, none has the target's metadata, or every weight is 0.",
    remedy: "Look at `meshgate_endpoints`, the service's discovery and the target's `where`.",
  },
  circuit_open: {
    status: 503,
    meaning:
      'The service has as many requests in flight, or waiting for a connection, as its `circuitBreaker` allows. The request was not sent.',
    remedy: 'Try again later; find out why the service is slow, or raise the threshold.',
  },
  overloaded: {
    status: 503,
    meaning:
      'The gateway itself is short of time, memory or file descriptors, and sheds load. Also a `rate-limit` with `onUnavailable: closed` while Redis does not answer.',
    remedy:
      'Wait for `Retry-After` seconds; add nodes, or look at `meshgate_plugin_rate_limit_fallbacks_total`.',
  },
  upstream_connect_failed: {
    status: 503,
    meaning:
      'No connection to an endpoint could be made: refused, unreachable, out of time, or TLS failed. The request was not sent.',
    remedy:
      "Look at the endpoint's address, its process and its certificate; `reason` in the log is exact.",
  },
  upstream_reset: {
    status: 503,
    meaning:
      'The connection ended before there was an answer. When it ends within one, the client sees a broken answer, and the log this code.',
    remedy: "Look at the service's own log; a request that is not idempotent may have been done.",
  },
  upstream_protocol_error: {
    status: 502,
    meaning: 'What the service sent is no valid HTTP answer.',
    remedy: "Compare the service's `protocol` with what it speaks; `reason` in the log is exact.",
  },
  upstream_timeout: {
    status: 504,
    meaning:
      "No answer in time: `timeouts.response`, `timeouts.idle` or `retry.perTryTimeout` of the service, or the route's `timeout`.",
    remedy: 'Make the service faster, or the time longer.',
  },
  client_closed_request: {
    status: 499,
    logOnly: true,
    meaning: 'The client left, or broke its request off, before it had the whole answer.',
    remedy: 'Nothing; many of them point to clients with short timeouts.',
  },
  drain_timeout: {
    status: 503,
    logOnly: true,
    meaning:
      'The listener was closing, and its `limits.drain` had passed: the connection was cut before the whole answer had left.',
    remedy: 'A longer `limits.drain`, where answers take that long.',
  },
  plugin_failed: {
    status: 500,
    meaning: 'A plugin of the route threw, or was too late, and says `onError: closed`.',
    remedy: "`reason` in the log names the plugin, the hook and the error's message.",
  },
  internal: {
    status: 500,
    meaning: 'A fault in the gateway.',
    remedy: 'Report it, with `reason` of the log.',
  },
};

/** Codes by which built-in plugins refuse, beside those of the union. */
export const PLUGIN_CODES: Readonly<Record<string, ErrorEntry & { readonly plugin: string }>> = {
  jwks_unavailable: {
    plugin: 'jwt',
    status: 503,
    meaning: "The issuer's keys could never be loaded, so that no token can be verified.",
    remedy: "Look at the issuer's `jwks` URL; the log of the gateway says what failed.",
  },
};
