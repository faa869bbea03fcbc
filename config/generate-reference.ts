/** Writes `docs/configuration.md`: `node config/generate-reference.ts`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { toConfigurationPage } from './configuration-page.ts';

const page = new URL('../docs/configuration.md', import.meta.url);
await mkdir(new URL('.', page), { recursive: true });
await writeFile(page, await toConfigurationPage());
