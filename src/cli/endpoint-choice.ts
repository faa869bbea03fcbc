/** Which endpoints an operator means by one word: an endpoint's id, or the name of a node. */
import type { MeshEndpoint } from '../admin/views/mesh-services.ts';

export type EndpointKey = Pick<MeshEndpoint, 'service' | 'id'>;

export type EndpointChoice =
  | { readonly kind: 'endpoint' | 'node'; readonly endpoints: readonly MeshEndpoint[] }
  /** Nothing has that name. */
  | { readonly kind: 'none' }
  /** More than one thing has it; the options that say which. */
  | { readonly kind: 'ambiguous'; readonly choices: readonly string[] };

export interface Meant {
  /** An endpoint of this service. */
  readonly service?: string | undefined;
  /** A node, though an endpoint has that id too. */
  readonly isNode?: boolean | undefined;
}

export function chooseEndpoints(
  known: readonly MeshEndpoint[],
  word: string,
  { service, isNode = false }: Meant,
): EndpointChoice {
  const endpoints = isNode
    ? []
    : known.filter((one) => one.id === word && (service === undefined || one.service === service));
  const ofNode = service === undefined ? known.filter(({ node }) => node === word) : [];
  if (endpoints.length === 0 && ofNode.length === 0) return { kind: 'none' };
  if (endpoints.length === 0) return { kind: 'node', endpoints: ofNode };
  if (endpoints.length === 1 && ofNode.length === 0) return { kind: 'endpoint', endpoints };
  const choices = endpoints.map((one) => `--service ${one.service}`);
  if (ofNode.length > 0) choices.push(`--node (${ofNode.length} endpoints)`);
  return { kind: 'ambiguous', choices };
}

/** Of the admin API. */
export function overridePath({ service, id }: EndpointKey, what: 'weight' | 'drain'): string {
  return `v1/mesh/services/${encodeURIComponent(service)}/endpoints/${encodeURIComponent(id)}/${what}`;
}
