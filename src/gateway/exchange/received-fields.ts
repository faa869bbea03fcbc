/** What becomes of each header field as it comes in: kept for the upstream, taken out, or believed. */
import { NameSet } from '../../mesh/transport/name-set.ts';

/** Facts that a trusted proxy told by header, all undefined from anybody else; and what anybody may say of the exchange. */
export interface Provenance {
  forwardedFor: string | undefined;
  forwardedProto: string | undefined;
  forwardedHost: string | undefined;
  forwardedPort: string | undefined;
  requestId: string | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** Via is no claim of identity: it is continued whoever sent it. */
  via: string | undefined;
  /** `TE: trailers`, which gRPC needs to see on its upstream too. */
  acceptsTrailers: boolean;
  /** What anybody prefers (RFC 7240), which goes on too. */
  prefer: string | undefined;
}

/** What most requests say. */
const NOTHING: Readonly<Provenance> = Object.freeze({
  forwardedFor: undefined,
  forwardedProto: undefined,
  forwardedHost: undefined,
  forwardedPort: undefined,
  requestId: undefined,
  traceparent: undefined,
  tracestate: undefined,
  via: undefined,
  acceptsTrailers: false,
  prefer: undefined,
});

const KEEP = 0;
/** Ends at this hop (RFC 9110 §7.6.1), or describes a framing that is written anew. */
const DROP = 1;
const CONNECTION = 2;
const TE = 3;
const VIA = 4;
/** From here on: believed from trusted proxies, dropped from others. These tell which requests belong together … */
const REQUEST_ID = 5;
const TRACEPARENT = 6;
const TRACESTATE = 7;
/** … and these who the client is. */
const FORWARDED_FOR = 8;
const FORWARDED_PROTO = 9;
const FORWARDED_HOST = 10;
const FORWARDED_PORT = 11;
/** Kept as it is from trusted proxies. */
const TRUSTED_ONLY = 12;
/** Kept, and looked at. */
const PREFER = 13;

const DISPOSITION: ReadonlyMap<string, number> = new Map([
  ['connection', CONNECTION],
  ['keep-alive', DROP],
  ['proxy-connection', DROP],
  ['proxy-authenticate', DROP],
  ['proxy-authorization', DROP],
  ['transfer-encoding', DROP],
  ['content-length', DROP],
  ['upgrade', DROP],
  ['trailer', DROP],
  ['expect', DROP],
  ['http2-settings', DROP],
  ['te', TE],
  ['via', VIA],
  ['prefer', PREFER],
  ['x-forwarded-for', FORWARDED_FOR],
  ['x-forwarded-proto', FORWARDED_PROTO],
  ['x-forwarded-host', FORWARDED_HOST],
  ['x-forwarded-port', FORWARDED_PORT],
  ['x-request-id', REQUEST_ID],
  ['traceparent', TRACEPARENT],
  ['tracestate', TRACESTATE],
  // What back ends and their frameworks take for the client's address, scheme or URL.
  ['forwarded', TRUSTED_ONLY],
  ['client-ip', TRUSTED_ONLY],
  ['front-end-https', TRUSTED_ONLY],
  ['fastly-client-ip', TRUSTED_ONLY],
  ['x-cluster-client-ip', TRUSTED_ONLY],
  ['x-envoy-external-address', TRUSTED_ONLY],
  ['x-forwarded', TRUSTED_ONLY],
  ['x-forwarded-by', TRUSTED_ONLY],
  ['x-forwarded-protocol', TRUSTED_ONLY],
  ['x-forwarded-server', TRUSTED_ONLY],
  ['x-original-forwarded-for', TRUSTED_ONLY],
  ['x-original-uri', TRUSTED_ONLY],
  ['x-url-scheme', TRUSTED_ONLY],
  ['x-real-ip', TRUSTED_ONLY],
  ['x-client-ip', TRUSTED_ONLY],
  ['x-forwarded-prefix', TRUSTED_ONLY],
  ['x-forwarded-ssl', TRUSTED_ONLY],
  ['x-forwarded-scheme', TRUSTED_ONLY],
  ['x-forwarded-uri', TRUSTED_ONLY],
  ['x-original-url', TRUSTED_ONLY],
  ['x-original-host', TRUSTED_ONLY],
  ['x-rewrite-url', TRUSTED_ONLY],
  ['x-forwarded-client-cert', TRUSTED_ONLY],
  ['true-client-ip', TRUSTED_ONLY],
  ['cf-connecting-ip', TRUSTED_ONLY],
]);

const JUDGED = new NameSet([...DISPOSITION.keys(), 'host']);

/**
 * Whether something else may become of a field than to be kept, whoever sends it; `hash` is that of its
 * name (`NameSet`), which begins at `start`. Fields for which it is false need not be received, unless
 * `Connection` names them.
 */
export function isJudged(hash: number, bytes: Uint8Array, start: number): boolean {
  // All names that begin with `x-meshgate-` are.
  return (
    JUDGED.mayHave(hash) ||
    ((bytes[start]! | 0x20) === LETTER_X && (bytes[start + 2]! | 0x20) === LETTER_M)
  );
}

const LETTER_X = 0x78;
const LETTER_M = 0x6d;

/** It stands in every line that is logged, on every node; a longer one is replaced. */
const MAX_REQUEST_ID = 256;

/**
 * Dispositions by the spelling received. A lookup without lower-casing keeps the pass over a
 * request's fields free of allocations; bounded, because clients choose the spellings.
 */
const bySpelling = new Map<string, number>();
const SPELLINGS_MAX = 2048;

function dispositionOf(name: string): number {
  const known = bySpelling.get(name);
  if (known !== undefined) return known;
  // CGI-style back ends read `X_Forwarded_For` as X-Forwarded-For, so the spellings share a fate.
  const canonical = name.toLowerCase().replaceAll('_', '-');
  const disposition = canonical.startsWith('x-meshgate-')
    ? TRUSTED_ONLY
    : (DISPOSITION.get(canonical) ?? KEEP);
  // An underscore spelling is nobody's proper field: believed from no one.
  const safe = disposition >= VIA && name.includes('_') ? DROP : disposition;
  if (bySpelling.size < SPELLINGS_MAX) bySpelling.set(name, safe);
  return safe;
}

/**
 * Takes out of `raw`, in place, every field that ends at this hop, those that `Connection`
 * names, and what an untrusted peer may not claim; returns what may be believed. It runs before
 * any plugin, so that nothing a plugin adds can be named away by the client (CVE-2026-33805).
 *
 * `isWithinMesh`: the request id and the trace are believed from everybody, so that they span the
 * nodes. They only name things: who makes one up confuses the reader of a log, and gains nothing.
 */
export function receiveFields(
  raw: string[],
  trusted: boolean,
  isWithinMesh = false,
): Readonly<Provenance> {
  const believed = trusted ? TRUSTED_ONLY : isWithinMesh ? TRACESTATE : VIA;
  let provenance: Provenance | undefined;
  let nominated: Set<string> | undefined;
  let kept = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    const disposition = dispositionOf(name);
    if (disposition === PREFER) believe((provenance ??= { ...NOTHING }), disposition, value);
    if (
      disposition === KEEP ||
      disposition === PREFER ||
      (disposition === TRUSTED_ONLY && trusted)
    ) {
      raw[kept] = name;
      raw[kept + 1] = value;
      kept += 2;
    } else if (disposition === CONNECTION) {
      nominated = nominate(value, nominated);
    } else if (disposition !== DROP && disposition <= believed) {
      believe((provenance ??= { ...NOTHING }), disposition, value);
    }
  }
  // Where there is little to take, for less than what setting its length costs.
  while (raw.length > kept) raw.pop();
  if (nominated !== undefined) removeNominated(raw, nominated);
  return provenance ?? NOTHING;
}

function believe(provenance: Provenance, disposition: number, value: string): void {
  switch (disposition) {
    case TE:
      if (value.toLowerCase().includes('trailers')) provenance.acceptsTrailers = true;
      break;
    case VIA:
      provenance.via = joined(provenance.via, value);
      break;
    case FORWARDED_FOR:
      provenance.forwardedFor = joined(provenance.forwardedFor, value);
      break;
    case FORWARDED_PROTO:
      provenance.forwardedProto = value;
      break;
    case FORWARDED_HOST:
      provenance.forwardedHost = value;
      break;
    case FORWARDED_PORT:
      provenance.forwardedPort = value;
      break;
    case REQUEST_ID:
      if (value.length <= MAX_REQUEST_ID) provenance.requestId = value;
      break;
    case TRACEPARENT:
      provenance.traceparent = value;
      break;
    case PREFER:
      provenance.prefer = joined(provenance.prefer, value);
      break;
    case TRACESTATE:
      provenance.tracestate = joined(provenance.tracestate, value);
      break;
    default:
  }
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function nominate(value: string, nominated: Set<string> | undefined): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return nominated;
  let names = nominated;
  for (const token of value.split(',')) {
    const name = token.trim().toLowerCase();
    if (name === '' || name === 'keep-alive' || name === 'close' || name === 'upgrade') continue;
    (names ??= new Set()).add(name);
  }
  return names;
}

function removeNominated(raw: string[], nominated: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < raw.length; i += 2) {
    if (nominated.has(raw[i]!.toLowerCase())) continue;
    raw[kept] = raw[i]!;
    raw[kept + 1] = raw[i + 1]!;
    kept += 2;
  }
  raw.length = kept;
}
