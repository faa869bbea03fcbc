/** Which routes of a shared document name which services. */
import type { Json } from '../../mesh/backplane/backplane.ts';
import { isObject, type JsonObject } from '../../mesh/backplane/json-object.ts';
import type { ConfigPath } from './config-path.ts';

export interface ServiceReference {
  readonly service: string;
  /** From the route. */
  readonly path: ConfigPath;
}

/** Whatever shape the route has: what is wrong with it is for others to say. */
export function serviceReferencesOf(route: JsonObject): readonly ServiceReference[] {
  const { to, mirror } = route;
  const direct = typeof to === 'string' ? [{ service: to, path: ['to'] }] : inTarget(to, ['to']);
  return [...direct, ...inList(to, 'to'), ...inList(mirror, 'mirror')];
}

function inList(list: Json | undefined, key: string): readonly ServiceReference[] {
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).flatMap((target, i) => inTarget(target, [key, i]));
}

function inTarget(target: Json | undefined, path: ConfigPath): readonly ServiceReference[] {
  if (!isObject(target)) return [];
  const { service } = target;
  return typeof service === 'string' ? [{ service, path: [...path, 'service'] }] : [];
}
