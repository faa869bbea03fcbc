/** Which substitutions a shared configuration may use: who writes it need not be who runs the node. */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

export interface NodeFiles {
  readonly configFile: string;
  readonly dataDir: string;
  /** Of the key that configurations are sealed with, where it is in a file. */
  readonly keyFile: string | undefined;
}

/** Where Docker and Kubernetes mount secrets. */
const MOUNTED = '/run/secrets';
/** Beside the node's file. */
const FOLDER = 'secrets';
/** The account of the container itself, which is mounted without being asked for. */
const NOT_MEANT = '/run/secrets/kubernetes.io';
const OWN_VARIABLE = /^MESHGATE_/;

/**
 * Why a reference such as `VAR:-default` or `file:/path` may not be used; undefined: it may. What
 * is referred to can be read by a route's answer: keys and tokens of the node, and files that
 * nobody put there for it, must not be among them.
 */
export function createReferenceGuard({
  configFile,
  dataDir,
  keyFile,
}: NodeFiles): (reference: string) => string | undefined {
  const directory = dirname(resolve(configFile));
  const allowed = [MOUNTED, join(directory, FOLDER)];
  const own = [configFile, dataDir, NOT_MEANT, ...(keyFile === undefined ? [] : [keyFile])];
  return (reference) => {
    if (OWN_VARIABLE.test(reference)) {
      const name = reference.split(':', 1)[0];
      return `the environment variable ${name} is the node's own, and may stand in its file alone`;
    }
    if (!reference.startsWith('file:')) return undefined;
    const path = realPathOf(resolve(directory, reference.slice('file:'.length)));
    const isIn = (folder: string): boolean => isWithin(path, realPathOf(folder));
    if (!allowed.some(isIn)) {
      return `a shared configuration may use files in ${MOUNTED}, and in the folder ${FOLDER} beside the file of the node, alone`;
    }
    return own.some(isIn)
      ? "this file is the node's own, and may not be used by a shared configuration"
      : undefined;
  };
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}

/** Links are followed; a path that leads nowhere is as it is written. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
