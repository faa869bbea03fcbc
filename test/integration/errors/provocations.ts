/** Every way into every error: what is asked, and what has to come of it. */
import type { ErrorCode } from '../../../src/errors.ts';
import { SECRET } from './bad-plugins.ts';
import { KEY, TOKEN } from './error-gateway.ts';

export interface Provocation {
  readonly name: string;
  readonly code: ErrorCode;
  /** Default: the one of the reference. */
  readonly status?: number;
  readonly method?: string;
  readonly target: string;
  /** Default: the target; empty where the refusal came before there was a path. */
  readonly instance?: string;
  /** Field lines beside Host and Connection. */
  readonly lines?: readonly string[];
  /** Default: localhost. */
  readonly host?: string;
  readonly body?: string;
  /** Default: the one of the reference. */
  readonly proxyStatus?: string;
  /** Fields of the answer, by name in lower case. */
  readonly fields?: Readonly<Record<string, RegExp>>;
  /** What the log says of it. */
  readonly reason: RegExp;
  /** Names in log and metrics; empty where it did not come to that. */
  readonly route?: string;
  readonly service?: string;
}

/** Exchanges: requests that were understood. */
export const provocations: readonly Provocation[] = [
  {
    name: 'a path that climbs above the root',
    code: 'bad_request',
    target: '/../x',
    instance: '',
    reason: /climbs above the root/,
  },
  {
    name: 'an encoded slash that the route does not allow',
    code: 'bad_request',
    target: '/healthy/a%2Fb',
    reason: /encoded slash/,
    route: 'healthy',
  },
  {
    name: 'a name of another listener',
    code: 'misdirected_request',
    target: '/healthy',
    host: 'other.example.com',
    reason: /another listener/,
  },
  { name: 'a path of no route', code: 'no_route', target: '/nowhere', reason: /No route/ },
  {
    name: 'an announced body over the limit of the listener',
    code: 'payload_too_large',
    method: 'POST',
    target: '/healthy',
    lines: ['Content-Length: 65537'],
    reason: /65536 bytes/,
    route: 'healthy',
  },
  {
    name: 'an announced body over the limit of the route',
    code: 'payload_too_large',
    method: 'POST',
    target: '/small',
    lines: ['Content-Length: 1025'],
    reason: /1024/,
    route: 'small',
  },
  {
    name: 'a streamed body over the limit',
    code: 'payload_too_large',
    method: 'POST',
    target: '/healthy',
    lines: ['Transfer-Encoding: chunked'],
    body: `10001\r\n${'a'.repeat(65_537)}\r\n`,
    reason: /65536 bytes/,
    route: 'healthy',
    service: 'healthy',
  },
  {
    name: 'no API key',
    code: 'unauthenticated',
    target: '/keyed',
    fields: { 'www-authenticate': /^ApiKey realm="meshgate"$/ },
    reason: /API key is required/,
    route: 'keyed',
  },
  {
    name: 'a wrong API key',
    code: 'unauthenticated',
    target: '/keyed',
    lines: [`X-API-Key: ${SECRET}`],
    fields: { 'www-authenticate': /^ApiKey / },
    reason: /not known/,
    route: 'keyed',
  },
  {
    name: 'no token',
    code: 'unauthenticated',
    target: '/token',
    fields: { 'www-authenticate': /^Bearer realm="meshgate"$/ },
    reason: /./,
    route: 'token',
  },
  {
    name: 'a token that nobody signed',
    code: 'unauthenticated',
    target: '/token',
    lines: [`Authorization: Bearer ${TOKEN}`],
    fields: { 'www-authenticate': /^Bearer .*error="invalid_token"/ },
    reason: /./,
    route: 'token',
  },
  {
    name: 'an address that has no access',
    code: 'forbidden',
    target: '/walled',
    reason: /address/,
    route: 'walled',
  },
  {
    name: 'a consumer outside the group',
    code: 'forbidden',
    target: '/members',
    lines: [`X-API-Key: ${KEY}`],
    reason: /may not/,
    route: 'members',
  },
  {
    name: 'a service without endpoints',
    code: 'no_healthy_endpoint',
    target: '/empty',
    reason: /no endpoint of empty/,
    route: 'empty',
    service: 'empty',
  },
  {
    name: 'a subset without endpoints',
    code: 'no_healthy_endpoint',
    target: '/subset',
    reason: /no endpoint of healthy/,
    route: 'subset',
    service: 'healthy',
  },
  {
    name: 'targets of no weight',
    code: 'no_healthy_endpoint',
    target: '/weightless',
    reason: /weight 0/,
    route: 'weightless',
  },
  {
    name: 'a port that nobody listens on',
    code: 'upstream_connect_failed',
    target: '/refusing',
    proxyStatus: 'connection_refused',
    reason: /ECONNREFUSED/,
    route: 'refusing',
    service: 'refusing',
  },
  {
    name: 'an upstream with a certificate of its own making',
    code: 'upstream_connect_failed',
    target: '/self-signed',
    proxyStatus: 'tls_certificate_error',
    reason: /certificate/,
    route: 'self-signed',
    service: 'self-signed',
  },
  {
    name: 'an upstream that speaks no TLS',
    code: 'upstream_connect_failed',
    target: '/no-tls',
    proxyStatus: 'tls_protocol_error',
    reason: /./,
    route: 'no-tls',
    service: 'no-tls',
  },
  {
    name: 'an upstream that takes the connection and says nothing',
    code: 'upstream_connect_failed',
    target: '/mute-tls',
    proxyStatus: 'connection_timeout',
    reason: /./,
    route: 'mute-tls',
    service: 'mute-tls',
  },
  {
    name: 'an upstream that resets',
    code: 'upstream_reset',
    target: '/resetting',
    reason: /./,
    route: 'resetting',
    service: 'resetting',
  },
  {
    name: 'an upstream that closes without an answer',
    code: 'upstream_reset',
    target: '/ending',
    reason: /./,
    route: 'ending',
    service: 'ending',
  },
  {
    name: 'an upstream that speaks another protocol',
    code: 'upstream_protocol_error',
    target: '/garbled',
    reason: /status line/,
    route: 'garbled',
    service: 'garbled',
  },
  {
    name: 'an upstream over its time to answer',
    code: 'upstream_timeout',
    target: '/silent',
    reason: /./,
    route: 'silent',
    service: 'silent',
  },
  {
    name: 'an exchange over the time of its route',
    code: 'upstream_timeout',
    target: '/slow',
    reason: /than the route allows/,
    route: 'slow',
    service: 'patient',
  },
  {
    name: 'a try over its time',
    code: 'upstream_timeout',
    target: '/slow-try',
    reason: /perTryTimeout/,
    route: 'slow-try',
    service: 'patient',
  },
  {
    name: 'a plugin that throws',
    code: 'plugin_failed',
    target: '/throwing',
    reason: /plugin throwing failed in onRequest: cannot open postgres/,
    route: 'throwing',
  },
  {
    name: 'a plugin that never comes back',
    code: 'plugin_failed',
    target: '/hanging',
    reason: /plugin hanging failed in onRequest: no result within 50 ms/,
    route: 'hanging',
  },
  {
    name: 'a plugin that fails on the answer',
    code: 'plugin_failed',
    target: '/rejecting-answers',
    reason: /plugin rejecting-answers failed in onUpstreamResponse/,
    route: 'rejecting-answers',
    service: 'healthy',
  },
  {
    name: 'a plugin whose stream fails on the body',
    code: 'plugin_failed',
    method: 'POST',
    target: '/failing-upload',
    lines: ['Content-Length: 5'],
    body: 'abcde',
    reason: /./,
    route: 'failing-upload',
    service: 'healthy',
  },
  {
    name: 'a plugin whose stream ends before the body',
    code: 'plugin_failed',
    method: 'POST',
    target: '/stopping-upload',
    lines: ['Content-Length: 5'],
    body: 'abcde',
    reason: /./,
    route: 'stopping-upload',
    service: 'healthy',
  },
  {
    name: 'a fault of the gateway',
    code: 'internal',
    target: '/vandal',
    reason: /cannot read/,
    route: 'vandal',
    service: 'healthy',
  },
];
