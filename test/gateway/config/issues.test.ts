/** Broken configurations, and exactly what is said of each. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toIssueText } from '../../../src/gateway/config/issue.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { catalogue, createFolder, issuesOf, type TextOptions } from './config-file.ts';

interface Golden {
  readonly title: string;
  readonly text: string;
  readonly issues: readonly string[];
  readonly options?: TextOptions;
}

const HASH = 'a'.repeat(64);

const goldens: readonly Golden[] = [
  {
    title: 'an empty file',
    text: '# nothing here\n',
    issues: ['1:1: the file is empty (begin with meshgate: 1)'],
  },
  {
    title: 'a file that is a list',
    text: '- meshgate: 1\n',
    issues: ['1:1: expected a mapping, got a list'],
  },
  {
    title: 'a missing format version',
    text: 'node: { name: a }\n',
    issues: ['1:1: "meshgate" is missing (add "meshgate: 1")'],
  },
  {
    title: 'another format version',
    text: 'meshgate: 2\n',
    issues: ['1:11 meshgate: 2 is not allowed here; allowed: 1'],
  },
  {
    title: 'an unknown key at the top, with the nearest one',
    text: 'meshgate: 1\nroute: []\n',
    issues: [
      '2:1 route: unknown key "route"; allowed: $schema, meshgate, node, dataDir, backplane, listeners, trustedProxies, register, outbound, services, routes, plugins, consumers, certificates, admin, status, telemetry (did you mean "routes"?)',
    ],
  },
  {
    title: 'keys of later versions as unknown keys',
    text: 'meshgate: 1\nnode: { workers: all }\nservices: { a: { endpoints: [], hedging: {} } }\n',
    issues: [
      '2:18 node.workers: "all" is not allowed here; allowed: "auto"',
      '3:33 services.a.hedging: unknown key "hedging"; allowed: endpoints, discover, protocol, tls, balancer, healthCheck, outlierDetection, adaptiveWeights, circuitBreaker, retry, hedge, timeouts, labels (did you mean "hedge"?)',
    ],
  },
  {
    title: 'a misspelt key that is needed, which is missing too',
    text: 'meshgate: 1\nroutes:\n  - { nam: a, respond: { status: 204 } }\n',
    issues: [
      '3:7 routes[0].nam: unknown key "nam"; allowed: name, match, to, redirect, respond, listeners, rewrite, timeout, retry, mirror, plugins, priority, allowEncodedSlash, labels (did you mean "name"? it is needed, and missing)',
    ],
  },
  {
    title: 'a prefix without the slash before its star, or the first one',
    text: 'meshgate: 1\nroutes:\n  - { name: a, match: { path: /x* }, respond: { status: 204 } }\n  - { name: b, match: { path: "y*" }, respond: { status: 204 } }\n  - { name: c, match: { path: /a*b* }, respond: { status: 204 } }\n',
    issues: [
      '3:31 routes[0].match.path: a "*" can only stand alone at the end, as in "/orders/*" (did you mean "/x/*"?)',
      '4:31 routes[1].match.path: "y*" is not valid here (did you mean "/y/*"?)',
      '5:31 routes[2].match.path: a "*" can only stand alone at the end, as in "/orders/*" (use { regex: … } for patterns, { exact: … } for a path with a star)',
    ],
  },
  {
    title: 'a wrong type in the middle of a list',
    text: 'meshgate: 1\ntrustedProxies:\n  - 10.0.0.0/8\n  - 5\n  - 10.0.0.0/40\n',
    issues: [
      '4:5 trustedProxies[1]: expected a text, got 5 (put it in quotes)',
      '5:5 trustedProxies[2]: "10.0.0.0/40": the prefix length must be between 0 and 32',
    ],
  },
  {
    title: 'broken YAML, and nothing of its content',
    text: 'meshgate: 1\nroutes:\n  - { name: a\nnod: 1\n',
    issues: ['4:1: Flow map in block collection must be sufficiently indented and end with a }'],
  },
  {
    title: 'a substitution without quotes between braces, once',
    text: 'meshgate: 1\nadmin: { address: ${NOPE} }\nstatus: { address: 127.0.0.1:1 }\n',
    issues: [
      '2:19: the text around ${NOPE} has to be in quotes here, as in "${NOPE}": between braces or brackets YAML takes its { for a mapping',
    ],
  },
  {
    title: 'each such substitution and what is wrong before it, and nothing of a default',
    text: `meshgate: 1
node: name: a
# not here: { \${A}
a: [ok, pre-\${B:-hunter2}-suf, "\${C}", '$', \${file:/run/x y}]
b: \${D}
c: { d: "$", e: 5$ , f: \${} }
g: |
  { \${G}
`,
    issues: [
      '2:7: Nested mappings are not allowed in compact mappings',
      '4:13: the text around ${B:-…} has to be in quotes here, as in "${B:-…}": between braces or brackets YAML takes its { for a mapping',
      '4:45: the text around ${file:/run/x} has to be in quotes here, as in "${file:/run/x}": between braces or brackets YAML takes its { for a mapping',
      '6:25: the text around ${VAR} has to be in quotes here, as in "${VAR}": between braces or brackets YAML takes its { for a mapping',
    ],
  },
  {
    title: 'two documents in one file',
    text: 'meshgate: 1\n---\nmeshgate: 1\n',
    issues: ['2:1: a file holds one document; remove the `---` and what follows'],
  },
  {
    title: 'a key that stands twice, also where it is merged',
    text: 'meshgate: 1\nnode:\n  name: a\n  zone: z\n  name: b\n',
    issues: ['5:3 node.name: the key "name" stands here twice'],
  },
  {
    title: 'listeners that contradict themselves',
    text: `meshgate: 1
listeners:
  - { name: a, address: 0.0.0.0:8000, tls: { selfSigned: [localhost] } }
  - { name: a, address: 127.0.0.1:8000, protocol: htp }
  - { name: c, address: 0.0.0.0:8444, protocol: https }
  - { name: d, address: 0.0.0.0:70000 }
  - { name: e, address: 10.0.0.256:80, protocol: https, redirectHttps: true, tls: {} }
  - { name: f, address: "::1", limits: { headers: 12, drain: 30 sec, header: 1 } }
`,
    issues: [
      '3:39 listeners[0].tls: "tls" means nothing to the protocol http (set protocol to https)',
      '4:13 listeners[1].name: the name is taken by listeners[0] (names of listeners are unique)',
      '4:25 listeners[1].address: the address is taken by the listener "a" (give it another port or address)',
      '4:51 listeners[1].protocol: "htp" is not allowed here; allowed: "http", "https" (did you mean "http"?)',
      '5:5 listeners[2]: the protocol https needs "tls" (give tls.certificates, or tls.selfSigned for development)',
      '6:25 listeners[3].address: "0.0.0.0:70000": the port must be between 0 and 65535',
      '7:25 listeners[4].address: "10.0.0.256:80": is no valid IPv4 address',
      '7:57 listeners[4].redirectHttps: the listener speaks https already',
      '7:83 listeners[4].tls: warning: there is no certificate yet: no handshake succeeds (put one by the admin API, or give certificates here)',
      '8:25 listeners[5].address: "::1" is not valid here (write it like 127.0.0.1:8080 or [::1]:8080)',
      '8:51 listeners[5].limits.headers: must be at least 1024 bytes',
      '8:62 listeners[5].limits.drain: "30 sec" is not valid here (write it like 250ms, 5s or 1m)',
      '8:70 listeners[5].limits.header: unknown key "header"; allowed: headers, headerFields, url, body, headerTimeout, idleTimeout, minBodyRate, connections, streams, requestsPerConnection, drain (did you mean "headers"?)',
    ],
  },
  {
    title: 'an address that status and a listener both want',
    text: 'meshgate: 1\nlisteners: [{ name: a, address: 0.0.0.0:8007 }]\n',
    issues: [
      '2:33 listeners[0].address: the address is taken by status, which has it unless told otherwise (give one of the two another port or address)',
    ],
  },
  {
    title: 'an address of the admin API that another wants, or that is none',
    text: 'meshgate: 1\nadmin: { address: 127.0.0.1:8007, token: x }\n',
    issues: [
      '2:19 admin.address: the address is taken by status, which has it unless told otherwise (give one of the two another port or address)',
      '2:35 admin.token: unknown key "token"; allowed: address, limits',
    ],
  },
  {
    title: 'an address that is taken by default, at the one that was given',
    text: `meshgate: 1
outbound: {}
register:
  - { service: a, address: 127.0.0.1:3000, inbound: 127.0.0.1:4140 }
listeners:
  - { name: a }
  - { name: b, address: 0.0.0.0:8000 }
  - { name: c }
status: { address: 127.0.0.1:8001 }
`,
    issues: [
      '4:53 register[0].inbound: the address is taken by the outbound door, which has it unless told otherwise (give one of the two another port or address)',
      '7:25 listeners[1].address: the address is taken by the listener "a", which has it unless told otherwise (give one of the two another port or address)',
      '8:5 listeners[2].address: the address is taken by the listener "a" (give it another port or address)',
      '9:20 status.address: the address is taken by admin, which has it unless told otherwise (give one of the two another port or address)',
    ],
  },
  {
    title: 'a limit of the admin API that leaves no room, or is none',
    text: 'meshgate: 1\nadmin: { limits: { body: 512KiB } }\n',
    issues: ['2:26 admin.limits.body: must be at least 1048576 bytes'],
  },
  {
    title: 'a limit of the admin API that is beyond what a version may have',
    text: 'meshgate: 1\nadmin: { limits: { body: 1GiB } }\n',
    issues: ['2:26 admin.limits.body: must be at most 32MiB'],
  },
  {
    title: 'services that cannot be reached',
    text: `meshgate: 1
services:
  a: {}
  b:
    endpoints:
      - { address: 127.0.0.1:99999 }
      - { address: 127.0.0.1:3000, weight: -1 }
      - { address: 127.0.0.1:3000 }
      - { weight: 2 }
    discover: { dns: { name: b.internal, type: A } }
  c: { discover: { dns: { name: "b d", type: SRV, port: 80 } }, tls: { verify: false } }
  d e: { endpoints: [], timeouts: { connect: 0s, idle: 30d }, retry: { on: [200, 5xy] } }
  f: { endpoints: [], protocol: https, tls: { cert: a.pem } }
  g: { endpoints: [], hedge: { percentile: 95, minDelay: 0s, attempts: 0 } }
`,
    issues: [
      '3:6 services.a: the service has no endpoints (give it endpoints or discover)',
      '6:20 services.b.endpoints[0].address: "127.0.0.1:99999": the port must be between 1 and 65535',
      '7:44 services.b.endpoints[1].weight: must be at least 0, got -1',
      '8:20 services.b.endpoints[2].address: the same address as endpoints[1] (give one of them another address, or one weight for both)',
      '9:9 services.b.endpoints[3]: "address" is missing (Address and port.)',
      '10:5 services.b.discover: "discover" cannot stand beside "endpoints"',
      '10:22 services.b.discover.dns: A records do not tell the port (give "port")',
      '11:33 services.c.discover.dns.name: "b d" is no valid host name',
      '11:51 services.c.discover.dns.port: SRV records tell the port (remove it)',
      '11:65 services.c.tls: "tls" means nothing to the protocol http1 (set protocol to https (HTTP/1.1) or h2 (HTTP/2))',
      '12:3 services["d e"]: "d e" cannot be a name (letters, digits, ".", "_" and "-", at most 128 of them)',
      '12:46 services["d e"].timeouts.connect: must be more than 0',
      '12:56 services["d e"].timeouts.idle: must be at most 24 days',
      '12:77 services["d e"].retry.on[0]: must be at least 400, got 200',
      '12:82 services["d e"].retry.on[1]: "5xy" is not allowed here; allowed: "connect-failure", "refused-stream", "reset", "timeout", "5xx" (did you mean "5xx"?)',
      '13:47 services.f.tls.cert: "cert" needs "key"',
      '14:44 services.g.hedge.percentile: must be at most 0.999, got 95',
      '14:58 services.g.hedge.minDelay: must be more than 0',
      '14:72 services.g.hedge.attempts: must be at least 1, got 0',
    ],
  },
  {
    title: 'balancing and health that cannot be meant',
    text: `meshgate: 1
services:
  a: { endpoints: [], balancer: { policy: peak-emwa, hashBalanceFactor: 0.5 } }
  b: { endpoints: [], balancer: { hashOn: { ip: true }, hashBalanceFactor: 2 } }
  c: { endpoints: [], balancer: { policy: maglev, slowStart: {}, zoneAware: true } }
  d: { endpoints: [], balancer: { policy: maglev, hashOn: { header: a, cookie: b } } }
  e: { endpoints: [], balancer: { sticky: { cookie: "a b", secret: short } } }
  f: { endpoints: [], balancer: { slowStart: { window: 0s, aggression: 0 } } }
  g: { endpoints: [], healthCheck: { interval: 0s } }
  h: { endpoints: [], healthCheck: { http: {}, grpc: {} } }
  i: { endpoints: [], healthCheck: { http: { path: healthz } } }
  j: { endpoints: [], outlierDetection: true }
  k: { endpoints: [], outlierDetection: { consecutive5xx: 0, baseEjectionTime: 6m } }
  l: { endpoints: [], outlierDetection: { consecutive5XX: 3 } }
`,
    issues: [
      '3:43 services.a.balancer.policy: "peak-emwa" is not allowed here; allowed: "round-robin", "random", "least-request", "peak-ewma", "ring-hash", "maglev" (did you mean "peak-ewma"?)',
      '3:73 services.a.balancer.hashBalanceFactor: must be at least 1, got 0.5',
      '4:35 services.b.balancer.hashOn: "hashOn" means nothing to the policy round-robin (set policy to ring-hash or maglev)',
      '4:57 services.b.balancer.hashBalanceFactor: "hashBalanceFactor" means nothing to the policy round-robin (set policy to ring-hash or maglev)',
      '5:51 services.c.balancer.slowStart: "slowStart" means nothing to the policy maglev (remove it: equal keys stay on their endpoint)',
      '5:66 services.c.balancer.zoneAware: "zoneAware" means nothing to the policy maglev (remove it: equal keys stay on their endpoint)',
      '6:59 services.d.balancer.hashOn: must have exactly one key',
      '7:53 services.e.balancer.sticky.cookie: "a b" is not valid here (write it like session-endpoint)',
      '7:68 services.e.balancer.sticky.secret: must have at least 16 characters, got (hidden)',
      '8:56 services.f.balancer.slowStart.window: must be more than 0',
      '8:72 services.f.balancer.slowStart.aggression: must be more than 0, got 0',
      '9:36 services.g.healthCheck: the health check says nothing of how (give http, tcp or grpc)',
      '9:48 services.g.healthCheck.interval: must be more than 0',
      '10:36 services.h.healthCheck: the health check knows more than one way (give http, tcp or grpc)',
      '10:48 services.h.healthCheck.grpc: gRPC is not spoken over the protocol http1 (set protocol to auto, h2c or h2)',
      '11:52 services.i.healthCheck.http.path: "healthz" is not valid here (did you mean "/healthz"?)',
      '12:41 services.j.outlierDetection: true is not allowed here; allowed: false',
      '13:41 services.k.outlierDetection.maxEjectionTime: must not be less than baseEjectionTime',
      '13:59 services.k.outlierDetection.consecutive5xx: must be at least 1, got 0',
      '14:43 services.l.outlierDetection.consecutive5XX: unknown key "consecutive5XX"; allowed: consecutive5xx, consecutiveGatewayFailure, consecutiveLocalOriginFailure, interval, baseEjectionTime, maxEjectionTime, maxEjectionPercent, successRate, failurePercentage (did you mean "consecutive5xx"?)',
    ],
  },
  {
    title: 'references to what is not there, with the nearest name',
    text: `meshgate: 1
listeners: [{ name: http }]
services: { orders: { discover: { mesh: orders } } }
routes:
  - { name: a, to: ordrs, listeners: [htpp] }
  - { name: b, to: [{ service: orders }, { service: billing }], mirror: [{ service: oders }] }
`,
    issues: [
      '5:20 routes[0].to: there is no service "ordrs" (did you mean "orders"?)',
      '5:39 routes[0].listeners[0]: there is no listener "htpp" (did you mean "http"?)',
      '6:5 routes[1]: warning: the same match as of the route a (this one never wins: change it, or give it a priority)',
      '6:53 routes[1].to[1].service: there is no service "billing" (define it under services)',
      '6:85 routes[1].mirror[0].service: there is no service "oders" (did you mean "orders"?)',
    ],
  },
  {
    title: 'no second error where a service is there but broken',
    text: 'meshgate: 1\nservices: { orders: [] }\nroutes: [{ name: a, to: orders }]\n',
    issues: ['2:21 services.orders: expected a mapping, got a list'],
  },
  {
    title: 'routes that lead nowhere, or to several places',
    text: `meshgate: 1
services: { s: { discover: { mesh: s } } }
routes:
  - { name: a }
  - { name: a, to: s, respond: { body: hi } }
  - { name: c, tto: s }
  - { match: { path: /x }, to: nope }
  - { name: d, to: [{ weight: 1 }, { respond: {}, service: s }] }
  - { name: e, redirect: {}, rewrite: { host: x } }
  - { name: f, redirect: { path: /x, prefix: /y, status: 304 } }
  - { name: g, respond: { status: 204, body: x, headers: { "a b": c, Content-Length: "1" } } }
`,
    issues: [
      '4:5 routes[0]: the route leads nowhere (give it one of to, redirect, respond)',
      '5:13 routes[1].name: the name is taken by routes[0] (names of routes are unique)',
      '5:23 routes[1].respond: "respond" cannot stand beside "to" (a route has one of to, redirect, respond)',
      '6:16 routes[2].tto: unknown key "tto"; allowed: name, match, to, redirect, respond, listeners, rewrite, timeout, retry, mirror, plugins, priority, allowEncodedSlash, labels (did you mean "to"?)',
      '7:5 routes[3]: "name" is missing (Name, for logs and metrics.)',
      '7:32 routes[3].to: there is no service "nope" (define it under services)',
      '8:5 routes[4]: warning: the same match as of the route a (this one never wins: change it, or give it a priority)',
      '8:21 routes[4].to[0]: the target leads nowhere (give it one of service, redirect, respond)',
      '8:38 routes[4].to[1].respond: "respond" cannot stand beside "service"',
      '9:5 routes[5]: warning: the same match as of the route a (this one never wins: change it, or give it a priority)',
      '9:26 routes[5].redirect: redirects to where the request came from (give scheme, host, port, path or prefix)',
      '9:30 routes[5].rewrite: "rewrite" cannot stand beside "redirect" (only what goes to a service is rewritten)',
      '10:38 routes[6].redirect.prefix: "prefix" cannot stand beside "path"',
      '10:58 routes[6].redirect.status: 304 is not allowed here; allowed: 301, 302, 303, 307, 308',
      '11:5 routes[7]: warning: the same match as of the route a (this one never wins: change it, or give it a priority)',
      '11:46 routes[7].respond.body: an answer with status 204 has no body',
      '11:60 routes[7].respond.headers["a b"]: "a b" is no header field name',
      '11:70 routes[7].respond.headers.Content-Length: Content-Length is set by the gateway itself (remove it)',
    ],
  },
  {
    title: 'matches that nothing can meet',
    text: `meshgate: 1
routes:
  - name: a
    respond: {}
    match:
      - { hosts: ["a.*.b", "x:80", "http://y", "*.10.0.0.1", "10.0.0.300"] }
      - { path: /a*, methods: [get, "G T"] }
      - { path: a }
      - { path: { exact: /a, prefix: /b } }
      - { path: { prefix: /a/* } }
      - { path: /../a, headers: { "x y": a, X-A: a, x-a: b, z: 1 }, query: { a: { present: false } } }
      - { pth: /a }
`,
    issues: [
      '6:19 routes[0].match[0].hosts[0]: "a.*.b" has a "*" that is not its whole first label ("*.example.com" names all that end in ".example.com")',
      '6:28 routes[0].match[0].hosts[1]: "x:80" has a port (leave it out: a Host\'s port is ignored)',
      '6:36 routes[0].match[0].hosts[2]: "http://y" is no host name (leave scheme and path out)',
      '6:48 routes[0].match[0].hosts[3]: "*.10.0.0.1" is no host name',
      '6:62 routes[0].match[0].hosts[4]: "10.0.0.300" is no valid IPv4 address',
      '7:17 routes[0].match[1].path: a "*" can only stand alone at the end, as in "/orders/*" (did you mean "/a/*"?)',
      '7:32 routes[0].match[1].methods[0]: "get" is no method (write GET: methods are case-sensitive)',
      '7:37 routes[0].match[1].methods[1]: "G T" is not valid here (write it like GET or POST)',
      '8:17 routes[0].match[2].path: "a" is not valid here (did you mean "/a"?)',
      '9:17 routes[0].match[3].path: must have exactly one key',
      '10:27 routes[0].match[4].path.prefix: a prefix needs no "/*" (write "/a")',
      '11:17 routes[0].match[5].path: no request can have this path: The path climbs above the root.',
      '11:35 routes[0].match[5].headers["x y"]: "x y" is no header field name',
      '11:53 routes[0].match[5].headers.x-a: the same header field stands here twice',
      '11:64 routes[0].match[5].headers.z: expected a text or a mapping, got 1 (put it in quotes)',
      '11:92 routes[0].match[5].query.a.present: false is not allowed here; allowed: true',
      '12:11 routes[0].match[6].pth: unknown key "pth"; allowed: hosts, path, methods, headers, query (did you mean "path"?)',
    ],
  },
  {
    title: 'expressions that are not linear, by the construct',
    text: `meshgate: 1
routes:
  - { name: a, respond: {}, match: { path: { regex: '/(?=x).*' } } }
  - { name: b, respond: {}, match: { path: { regex: '/(a)\\1' } } }
  - { name: c, respond: {}, match: { headers: { x: { regex: '(?<!a)b' } } } }
  - { name: d, respond: {}, match: { query: { x: { regex: '(a' } } } }
  - { name: e, respond: {}, match: { path: { regex: '/[(?=]\\\\1' } } }
`,
    issues: [
      '3:53 routes[0].match.path.regex: uses a look-ahead (?=, which linear-time (RE2) expressions do not have (match more than is wanted here, or split it into several routes)',
      '4:53 routes[1].match.path.regex: uses a back-reference \\1, which linear-time (RE2) expressions do not have (match more than is wanted here, or split it into several routes)',
      '5:61 routes[2].match.headers.x.regex: uses a look-behind (?<!, which linear-time (RE2) expressions do not have (match more than is wanted here, or split it into several routes)',
      '6:59 routes[3].match.query.x.regex: is no regular expression: error parsing regexp: missing closing ): `(a`',
    ],
  },
  {
    title: 'rewrites that do not fit',
    text: `meshgate: 1
services: { s: { discover: { mesh: s } } }
routes:
  - { name: a, to: s, match: { path: /a }, rewrite: { stripPrefix: /a } }
  - { name: b, to: s, match: { path: /a/* }, rewrite: { stripPrefix: /b, path: /c } }
  - { name: c, to: s, match: { path: /a/* }, rewrite: { stripPrefix: /b } }
  - { name: d, to: s, rewrite: { regex: '/(a)' } }
  - { name: e, to: s, rewrite: { replacement: x } }
  - { name: f, to: s, rewrite: { regex: '/(a)', replacement: '/$2$1$$3' } }
  - { name: g, to: s, rewrite: {} }
  - { name: h, to: s, rewrite: { host: 'a b' } }
`,
    issues: [
      '4:55 routes[0].rewrite.stripPrefix: "stripPrefix" needs a prefix match, but the route matches by exact path (match a path that ends in "/*")',
      '5:57 routes[1].rewrite.stripPrefix: "stripPrefix" cannot stand beside "path" (a path is rewritten in one way)',
      '6:30 routes[2].match: warning: the same match as of the route b (this one never wins: change it, or give it a priority)',
      '6:70 routes[2].rewrite.stripPrefix: no path below /a begins with /b (the route matches /a/*)',
      '7:34 routes[3].rewrite.regex: "regex" needs "replacement"',
      '8:5 routes[4]: warning: the same match as of the route d (this one never wins: change it, or give it a priority)',
      '8:34 routes[4].rewrite.replacement: "replacement" needs "regex"',
      '9:5 routes[5]: warning: the same match as of the route d (this one never wins: change it, or give it a priority)',
      '9:62 routes[5].rewrite.replacement: $2 is no group of the expression (write $$ for a plain dollar sign)',
      '10:32 routes[6].rewrite: must not be an empty mapping',
      '11:5 routes[7]: warning: the same match as of the route d (this one never wins: change it, or give it a priority)',
      '11:40 routes[7].rewrite.host: "a b" is no host name',
    ],
  },
  {
    title: 'plugins that are unknown, incomplete or refused by themselves',
    text: `meshgate: 1
plugins:
  tenat: {}
routes:
  - name: a
    respond: {}
    plugins:
      - tenant: { allow: [a, nobody], headr: x }
      - stamp: {}
      - { stamp: { value: x }, tenant: {} }
      - stamp:
      - tenant: { from: { cooky: a } }
`,
    issues: [
      '3:3 plugins.tenat: unknown key "tenat"; allowed: tenant, stamp (did you mean "tenant"?)',
      '8:30 routes[0].plugins[0].tenant.allow[1]: nobody is nobody; remove it',
      '8:39 routes[0].plugins[0].tenant.headr: unknown key "headr"; allowed: header, from, allow, secret (did you mean "header"?)',
      '9:16 routes[0].plugins[1].stamp: "value" is missing',
      '10:9 routes[0].plugins[2]: must have exactly one key (one plugin an item: begin each with "- ")',
      '11:15 routes[0].plugins[3].stamp: expected a mapping, got null (write {} for one without settings)',
      '12:25 routes[0].plugins[4].tenant.from: "header" is missing',
      '12:27 routes[0].plugins[4].tenant.from.cooky: unknown key "cooky"; allowed: header',
    ],
  },
  {
    title: 'consumers that could be taken for each other',
    text: `meshgate: 1
consumers:
  - { name: a, apiKeys: [{ hash: "sha256:${HASH}" }], jwt: { issuer: i, subject: s } }
  - { name: b, apiKeys: [{ hash: "sha256:${HASH.toUpperCase()}" }], jwt: { issuer: i, subject: s } }
  - { name: a, apiKeys: [{ hash: "md5:1" }] }
`,
    issues: [
      '4:34 consumers[1].apiKeys[0].hash: the API key belongs to the consumer "a" (a caller must be known as one consumer)',
      '4:117 consumers[1].jwt: the token subject belongs to the consumer "a" (a caller must be known as one consumer)',
      '5:13 consumers[2].name: the name is taken by consumers[0] (names of consumers are unique)',
      '5:34 consumers[2].apiKeys[0].hash: (hidden) is not valid here (write it like sha256:<64 hexadecimal digits>, from: printf %s "$KEY" | sha256sum)',
    ],
  },
  {
    title: 'substitutions that fail, each once',
    text: `meshgate: 1
node: { name: "\${NAME}" }
status: { address: "\${not a name}" }
routes:
  - { name: a, to: "\${file:nowhere}" }
  - { name: b, respond: { body: "\${OPEN" } }
`,
    issues: [
      '2:15 node.name: the environment variable NAME is not set (set it, or give a default: ${NAME:-…})',
      '3:20 status.address: "${not a name}" is no substitution: use ${VAR}, ${VAR:-default} or ${file:/path} (write $${ for a plain ${)',
      '5:20 routes[0].to: the file <folder>/nowhere does not exist',
      '6:33 routes[1].respond.body: "${" has no closing brace (write $${ for a plain ${)',
    ],
  },
  {
    title: 'substituted values only by what stands in the file',
    text: `meshgate: 1
services: { orders: { endpoints: [{ address: "\${ADDRESS}" }] } }
routes:
  - { name: a, to: "\${SERVICE}", timeout: "\${TIMEOUT}", priority: "\${PRIORITY}" }
  - { name: b, respond: {}, plugins: [{ tenant: { secret: "\${SECRET}" } }, { tenant: { secret: hunter2 } }] }
`,
    options: {
      env: {
        ADDRESS: '10.9.8.7:99999',
        SERVICE: 'ordersecret',
        TIMEOUT: 'shhh',
        PRIORITY: '12.5',
        SECRET: 'pst',
      },
    },
    issues: [
      '2:46 services.orders.endpoints[0].address: "${ADDRESS}": the port must be between 1 and 65535',
      '4:20 routes[0].to: there is no service "${SERVICE}" (define it under services)',
      '4:43 routes[0].timeout: ${TIMEOUT} is not valid here (write it like 250ms, 5s or 1m)',
      '4:67 routes[0].priority: expected a whole number, got ${PRIORITY}',
      '5:59 routes[1].plugins[0].tenant.secret: must have at least 8 characters, got ${SECRET}',
      '5:96 routes[1].plugins[1].tenant.secret: must have at least 8 characters, got (hidden)',
    ],
  },
  {
    title: 'quantities without their unit',
    text: `meshgate: 1
routes: [{ name: a, respond: {}, timeout: 5 }, { name: b, respond: {}, timeout: 1.5, priority: 1 }]
status: { address: 8007 }
`,
    issues: [
      '2:43 routes[0].timeout: expected a text, got 5 (write it like 5s)',
      '2:81 routes[1].timeout: expected a text, got 1.5 (write it like 250ms, 5s or 1m)',
      '3:20 status.address: expected a text, got 8007 (write it like 127.0.0.1:8080 or [::1]:8080)',
    ],
  },
  {
    title: 'an alias without an anchor, where it stands',
    text: 'meshgate: 1\nnode:\n  name: a\n  <<: *nope\n',
    issues: ['4:7: the alias *nope has no anchor before it'],
  },
  {
    title: 'nesting that takes all of the stack, in brackets',
    text: `meshgate: 1\nroutes:\n  ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`,
    issues: ['3:67: nested too deeply: more than 64 levels'],
  },
  {
    title: 'and in brackets that are more than its parser takes',
    text: `meshgate: 1\nroutes:\n  ${'['.repeat(200_000)}${']'.repeat(200_000)}\n`,
    issues: ['3:67: nested too deeply: more than 64 levels'],
  },
  {
    title: 'and in lists',
    text: `meshgate: 1\nroutes:\n  ${'- '.repeat(20_000)}a\n`,
    issues: ['3:65: nested too deeply: more than 64 levels'],
  },
  {
    title: 'plugins that are only named, or several in one item',
    text: `meshgate: 1
plugins: [tenant]
routes:
  - name: a
    respond: {}
    plugins:
      - tenant: {}
        stamp: { value: a }
`,
    issues: [
      '2:11 plugins[0]: expected a mapping, got "tenant" (write { tenant: {} })',
      '7:9 routes[0].plugins[0]: must have exactly one key (one plugin an item: begin each with "- ")',
    ],
  },
  {
    title: 'what is allowed and hardly meant, as warnings',
    text: `meshgate: 1
services:
  s: { endpoints: [{ address: 127.0.0.1:1, metadata: { version: v1, zone: a } }] }
  d: { discover: { mesh: d } }
routes:
  - { name: a, match: { path: /a, methods: [GETT] }, to: [{ service: s, weight: 0 }, { service: d, weight: 0 }] }
  - { name: b, match: [{ path: /b }], to: { service: s, where: { version: v2 } } }
  - { name: c, match: [{ path: /c }, { path: /b }], to: [{ service: s, where: { version: v1, zone: b } }, { service: d, where: { version: v2 } }] }
  - { name: d, match: { path: /b }, priority: 1, to: s, mirror: [{ service: s, where: { version: v3 } }] }
  - { name: e, respond: {} }
  - { name: f, respond: {} }
  - { name: g, match: { path: /p, methods: [PROPFIND] }, to: s }
`,
    issues: [
      '6:45 routes[0].match.methods[0]: warning: "GETT" is no method that HTTP knows (did you mean "GET"?)',
      '6:58 routes[0].to: warning: every target has the weight 0: each request is answered by 503 (give one of them a weight)',
      '7:64 routes[1].to.where: warning: no endpoint of s has this metadata (nothing can be sent there: give an endpoint this metadata)',
      '8:38 routes[2].match[1]: warning: the same match as of the route b (this one never wins: change it, or give it a priority)',
      '8:79 routes[2].to[0].where: warning: no endpoint of s has this metadata (nothing can be sent there: give an endpoint this metadata)',
      '9:87 routes[3].mirror[0].where: warning: no endpoint of s has this metadata (nothing can be sent there: give an endpoint this metadata)',
      '11:5 routes[5]: warning: the same match as of the route e (this one never wins: change it, or give it a priority)',
    ],
  },
  {
    title: 'routes that lose on the listener of another, whatever stands before and beside',
    text: `meshgate: 1
listeners: [{ name: in, address: 127.0.0.1:1 }, { name: out, address: 127.0.0.1:2 }, { name: side, address: 127.0.0.1:3 }]
services: { s: { discover: { mesh: s } } }
routes:
  - { name: a, to: s, match: { path: /x }, listeners: [in] }
  - { name: b, to: s, match: { path: /x }, listeners: [out] }
  - { name: c, to: s, match: { path: /x }, listeners: [out] }
  - { name: d, to: s, match: { path: /x }, listeners: [in, out] }
  - { name: e, to: s, match: { path: /x } }
  - { name: f, to: s, match: [{ path: /x }, { path: /x }], listeners: [side] }
`,
    issues: [
      '7:30 routes[2].match: warning: the same match as of the route b (this one never wins: change it, or give it a priority)',
      '8:30 routes[3].match: warning: the same match as of the route a (this one never wins: change it, or give it a priority)',
      '9:30 routes[4].match: warning: the same match as of the route a (on in, out this one never wins: change it, or give it a priority)',
      '10:31 routes[5].match[0]: warning: the same match as of the route e (this one never wins: change it, or give it a priority)',
      '10:45 routes[5].match[1]: warning: the same match as of the route e (this one never wins: change it, or give it a priority)',
    ],
  },
  {
    title: 'paths that no system has',
    text: 'meshgate: 1\ndataDir: "a\\0b"\ntelemetry: { accessLog: { path: "\\0" } }\n',
    issues: [
      '2:10 dataDir: a path cannot hold a NUL character',
      '3:33 telemetry.accessLog.path: a path cannot hold a NUL character',
    ],
  },
  {
    title: 'a tag, which no value has',
    text: 'meshgate: 1\nnode: !thing { name: a }\n',
    issues: ['2:7: Unresolved tag: !thing'],
  },
];

describe('a configuration file', () => {
  const say = async (file: string): Promise<string[]> => {
    const result = await loadConfig(file, { catalogue, env: {} });
    return result.ok ? [] : result.issues.map((issue) => toIssueText({ ...issue, file: 'm.yaml' }));
  };

  it('that is not there is told with what to do', async () => {
    expect(await say(join(await createFolder(), 'm.yaml'))).toEqual([
      'm.yaml:1:1: the file does not exist (write one, or name another with --config)',
    ]);
  });

  it('that is a folder is told as one', async () => {
    expect(await say(await createFolder())).toEqual(['m.yaml:1:1: this is a folder, not a file']);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is told as such', async () => {
    const file = join(await createFolder({ 'm.yaml': '' }), 'm.yaml');
    await chmod(file, 0);
    expect(await say(file)).toEqual([
      'm.yaml:1:1: the file may not be read by the user that meshgate runs as (EACCES)',
    ]);
  });
});

describe('a broken configuration', () => {
  it.each(goldens)('tells of $title', async ({ text, issues, options }) => {
    const found = await issuesOf(text, options);
    expect(found.map((issue) => issue.replace(/\/\S*meshgate-config-[^/]*/, '<folder>'))).toEqual(
      issues,
    );
  });

  it('tells of everything at once, in the order of the file', async () => {
    const text = goldens
      .filter(({ title }) => /^(matches|expressions)/.test(title))
      .map(({ text }) => text.replace('meshgate: 1\nroutes:\n', ''))
      .join('');
    const found = await issuesOf(`meshgate: 1\nroutes:\n${text}`);
    const lines = found.map((issue) => Number(issue.split(':')[0]));
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
    expect(lines.length).toBeGreaterThan(15);
  });
});
