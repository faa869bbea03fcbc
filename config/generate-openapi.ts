/** Writes `config/openapi.json` and `docs/api.md`: `node config/generate-openapi.ts`. */
import { writeFile } from 'node:fs/promises';
import { toApiPage } from './api-page.ts';
import { toOpenApi } from './openapi.ts';

const document = toOpenApi();
await writeFile(
  new URL('./openapi.json', import.meta.url),
  `${JSON.stringify(document, undefined, 2)}\n`,
);
await writeFile(new URL('../docs/api.md', import.meta.url), toApiPage(document));
