/** Where a value of a shared document stands is told by its entry alone, as it would be by the whole text. */
import {
  array,
  assert,
  constantFrom,
  dictionary,
  jsonValue,
  property,
  record,
  string,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigPath } from '../../../../src/gateway/config/config-path.ts';
import { readSourceDocument } from '../../../../src/gateway/config/source-document.ts';
import { AS_WRITTEN } from '../../../../src/gateway/config/substitute.ts';
import {
  parseSharedDocument,
  type SharedDocument,
} from '../../../../src/gateway/config/versions/shared-document.ts';
import { createSharedPlaces } from '../../../../src/gateway/config/versions/shared-places.ts';
import { toSharedYaml } from '../../../../src/gateway/config/versions/shared-yaml.ts';
import { generatedRuns, GENERATED_SEED } from '../../../generated-runs.ts';

const key = constantFrom('a', '404', '', 'x y', 'long'.repeat(300), '#', 'true', '__proto__');
const entry = dictionary(key, jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const list = array(entry, { maxLength: 4 });
const mapping = dictionary(string({ maxLength: 6 }), entry, { maxKeys: 4 });

function pathsWithin(value: unknown, path: ConfigPath): ConfigPath[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([step, member]) =>
    pathsWithin(member, [...path, Array.isArray(value) ? Number(step) : step]),
  );
  return [path, [...path, 'absent'], ...below];
}

describe('the places of a shared document', () => {
  it('are those of its YAML', () => {
    const parts = { services: mapping, routes: list, consumers: list, plugins: list };
    assert(
      property(record({ ...parts, certificates: mapping }), (value) => {
        const parsed = parseSharedDocument(value);
        const document = (parsed as { document: SharedDocument }).document;
        const whole = readSourceDocument(toSharedYaml(document), AS_WRITTEN, () => undefined);
        const places = createSharedPlaces(document);
        for (const path of pathsWithin(document, [])) {
          for (const at of ['key', 'value'] as const) {
            const found = { path, at, place: places.locate(path, at) };
            expect(found).toEqual({ path, at, place: whole.locate(path, at) });
          }
        }
      }),
      { numRuns: generatedRuns(60), seed: GENERATED_SEED },
    );
  });
});
