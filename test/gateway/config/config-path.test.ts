import { expect, it } from 'vitest';
import {
  parsePathText,
  toPathText,
  type ConfigPath,
} from '../../../src/gateway/config/config-path.ts';

it.each<[string, ConfigPath]>([
  ['', []],
  ['routes[3].to[0].service', ['routes', 3, 'to', 0, 'service']],
  ['services["a.b"].x-y_z', ['services', 'a.b', 'x-y_z']],
  ['["odd \\" key"]["[0]"].a', ['odd " key', '[0]', 'a']],
  ['plugins[0].cors', ['plugins', 0, 'cors']],
])('%s is read as it was written', (text, path) => {
  expect(toPathText(path)).toBe(text);
  expect(parsePathText(text)).toEqual(path);
});
