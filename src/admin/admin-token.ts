/** The first token of the admin API: made once, kept in the data directory for its owner alone. */
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFirst } from '../mesh/backplane/first-file.ts';
import { createTokenText, digestOf, isTokenText } from './access/token-text.ts';

/** In the data directory. */
export const TOKEN_FILE = 'admin-token';

export interface AdminToken {
  readonly file: string;
  /** It was made just now. */
  readonly isNew: boolean;
  /** Whether a text is the token, in a time that tells nothing of it. */
  readonly matches: (text: string) => boolean;
}

/** Reads the token, or makes it. Rejects where neither can be done, or where the file has no token. */
export async function openAdminToken(dataDir: string): Promise<AdminToken> {
  const file = join(dataDir, TOKEN_FILE);
  const isNew =
    (await readIfThere(file)) === undefined && (await writeFirst(file, `${createTokenText()}\n`));
  const text = (await readFile(file, 'utf8')).trim();
  if (!isTokenText(text)) {
    throw new Error(`${file} has no admin token; remove it, and the next start makes a new one`);
  }
  // The token itself is let go of: what is in memory may end in a dump.
  const digest = digestOf(text);
  return { file, isNew, matches: (candidate) => timingSafeEqual(digestOf(candidate), digest) };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
