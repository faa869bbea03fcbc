/** What changes of a request and its answer between two nodes. */
import type { IncomingHttpHeaders } from 'node:http';

/** The name of the node that forwards it. */
export const FORWARDED_BY = 'meshgate-forwarded-by';
/** The name of the node that it is for. */
const FORWARDED_TO = 'meshgate-forwarded-to';

/** They end at each hop (RFC 9110 §7.6.1), or undici takes none of them. */
const OF_ONE_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
] as const;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface Passage {
  /** Name of the node that forwards; undefined: it has none. */
  readonly from: string | undefined;
  readonly to: string;
  readonly requestId: string;
}

export function toForwardedFields(
  fields: IncomingHttpHeaders,
  { from = '', to, requestId }: Passage,
): IncomingHttpHeaders {
  const forwarded = { ...fields };
  for (const name of OF_ONE_HOP) delete forwarded[name];
  forwarded[FORWARDED_BY] = encodeURIComponent(from);
  forwarded[FORWARDED_TO] = encodeURIComponent(to);
  forwarded['x-request-id'] = requestId;
  return forwarded;
}

/** Its links lead by this node, as the request did. */
export function toReturnedFields(fields: IncomingHttpHeaders, to: string): IncomingHttpHeaders {
  const returned = { ...fields };
  for (const name of OF_ONE_HOP) delete returned[name];
  const prefix = `/v1/nodes/${encodeURIComponent(to)}/`;
  const { location, link } = returned;
  if (location?.startsWith('/v1/') === true) returned.location = prefix + location.slice(4);
  if (typeof link === 'string') returned['link'] = link.replaceAll('</v1/', `<${prefix}`);
  return returned;
}

/** That of the node which forwards it, so that it is one request in the logs of both. */
export function forwardedRequestId(fields: IncomingHttpHeaders): string | undefined {
  const id = fields['x-request-id'];
  if (fields[FORWARDED_BY] === undefined || typeof id !== 'string') return undefined;
  return UUID.test(id) ? id : undefined;
}

/** Whether it was meant for another node than this. */
export function isMisdirected(fields: IncomingHttpHeaders, own: string | undefined): boolean {
  const to = fields[FORWARDED_TO];
  return to !== undefined && own !== undefined && to !== encodeURIComponent(own);
}
