import { expect, it } from 'vitest';
import { serviceReferencesOf } from '../../../src/gateway/config/service-references.ts';
import type { JsonObject } from '../../../src/mesh/backplane/json-object.ts';

it.each<[JsonObject, readonly string[]]>([
  [{}, []],
  [{ to: 'a' }, ['a at to']],
  [{ to: { service: 'a' } }, ['a at to.service']],
  [
    { to: [{ service: 'a' }, { respond: {} }, { service: 'b' }] },
    ['a at to.0.service', 'b at to.2.service'],
  ],
  [
    { to: 'a', mirror: [{ service: 'b' }, { service: 'a' }] },
    ['a at to', 'b at mirror.0.service', 'a at mirror.1.service'],
  ],
  [{ to: [5, null, ['a']], mirror: 'b' }, []],
])('%j names %j', (route, references) => {
  expect(
    serviceReferencesOf(route).map(({ service, path }) => `${service} at ${path.join('.')}`),
  ).toEqual(references);
});
