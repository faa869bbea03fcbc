/** The version of this Meshgate, as its manifest has it. */
import { readFileSync } from 'node:fs';

/** Beside `src` in a checkout and beside `dist` in the package. */
const manifest = new URL('../package.json', import.meta.url);

export const VERSION = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
