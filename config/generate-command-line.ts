/** Writes `docs/command-line.md`: `node config/generate-command-line.ts`. */
import { writeFile } from 'node:fs/promises';
import { toCommandLinePage } from './command-line-page.ts';

await writeFile(new URL('../docs/command-line.md', import.meta.url), toCommandLinePage());
