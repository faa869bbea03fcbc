/** Writes `docs/errors.md`: `node config/generate-errors.ts`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { toErrorsPage } from './errors-page.ts';

const page = new URL('../docs/errors.md', import.meta.url);
await mkdir(new URL('.', page), { recursive: true });
await writeFile(page, toErrorsPage());
