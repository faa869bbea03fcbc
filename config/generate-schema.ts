/** Writes `config/meshgate.schema.json`: `node config/generate-schema.ts`. */
import { writeFile } from 'node:fs/promises';
import { toJsonSchema } from '../src/gateway/config/json-schema.ts';
import { standardPlugins } from '../src/plugins/standard.ts';

await writeFile(
  new URL('./meshgate.schema.json', import.meta.url),
  `${JSON.stringify(toJsonSchema(standardPlugins), undefined, 2)}\n`,
);
