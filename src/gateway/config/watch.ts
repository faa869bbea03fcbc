/** Notices when a file changes, however it is changed. */
import { watch, type FSWatcher } from 'node:fs';
import { readlink, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Log } from '../../plugins/sdk/plugin-context.ts';

export interface WatchOptions {
  /** Absolute paths; they need not exist yet. */
  readonly files: readonly string[];
  readonly log?: Log;
  /** Called once for changes that come together; after `stop` no more. */
  readonly onChange: () => void;
  /** How long it must be quiet before `onChange`, in milliseconds. Default 100. */
  readonly debounceMs?: number;
  /** How often to look without being told, in milliseconds. Default 2000. */
  readonly pollMs?: number;
}

export interface ConfigWatcher {
  /** Resolves when every change from now on will be noticed. */
  start(): Promise<void>;
  /** Watches these files in place of those before. */
  watch(files: readonly string[]): void;
  stop(): void;
}

/** A chain of more is a loop, to the kernel too. */
const MAX_LINKS = 40;

/**
 * Watches files by the directories they are in: a file that an editor replaces, or a
 * Kubernetes volume swaps by a symbolic link, is another inode each time, and a watch on the
 * old one hears nothing. Directories themselves may be replaced and network file systems tell
 * nothing, so that a slow poll decides in the end; events only make it fast.
 */
export function watchConfig(options: WatchOptions): ConfigWatcher {
  return new DirectoryWatcher(options);
}

class DirectoryWatcher implements ConfigWatcher {
  readonly #onChange: () => void;
  readonly #log: Log | undefined;
  readonly #debounceMs: number;
  readonly #pollMs: number;
  #files: readonly string[];
  /** By file, the identity that it had at the last look. */
  #seen: ReadonlyMap<string, string> = new Map();
  #watchers = new Map<string, FSWatcher>();
  /** By directory, what in it matters: a log that is written beside may never rest. */
  #names: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #debounce: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #running = false;
  /** Looks run one after the other: each compares with what the last one saw. */
  #looking: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions) {
    this.#files = options.files;
    this.#onChange = options.onChange;
    this.#log = options.log;
    this.#debounceMs = options.debounceMs ?? 100;
    this.#pollMs = options.pollMs ?? 2000;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#poll = setInterval(() => this.#look(), this.#pollMs);
    this.#poll.unref();
    this.#looking = this.#looking.then(async () => {
      const found = await survey(this.#files);
      this.#seen = found.identities;
      this.#arm(found);
      // A change between the survey and the watches has told nobody.
      this.#soon();
    });
    await this.#looking;
  }

  watch(files: readonly string[]): void {
    this.#files = files;
    this.#looking = this.#looking.then(async () => {
      const found = await survey(files);
      // What was seen of a file stays: taken anew, a change since it was read would be lost. Of a
      // new file nothing was seen when it was read, so that the look that follows tells of it.
      this.#seen = new Map(files.map((file) => [file, this.#seen.get(file) ?? '']));
      this.#arm(found);
      this.#soon();
    });
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#debounce);
    clearInterval(this.#poll);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #soon(): void {
    if (!this.#running) return;
    clearTimeout(this.#debounce);
    this.#debounce = setTimeout(() => this.#look(), this.#debounceMs);
  }

  #look(): void {
    this.#looking = this.#looking.then(async () => {
      if (!this.#running) return;
      const files = this.#files;
      const found = await survey(files);
      if (!this.#running) return;
      this.#arm(found);
      const before = this.#seen;
      const { identities } = found;
      this.#seen = identities;
      if (files.some((file) => identities.get(file) !== before.get(file))) this.#onChange();
    });
  }

  /** One watcher for each directory; `directories` tells by name and inode, as one may be replaced. */
  #arm({ directories, names }: Survey): void {
    if (!this.#running) return;
    this.#names = names;
    for (const [key, watcher] of this.#watchers) {
      if (directories.has(key)) continue;
      watcher.close();
      this.#watchers.delete(key);
    }
    for (const [key, directory] of directories) {
      if (this.#watchers.has(key)) continue;
      this.#open(key, directory);
    }
  }

  /** Where the system has no more watches, or none for this directory, the poll remains. */
  #open(key: string, directory: string): void {
    const giveUp = (error: unknown): void => {
      this.#log?.debug({ directory, error }, 'directory cannot be watched; it is polled');
    };
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        // Some systems tell no names.
        if (name === null || this.#names.get(directory)?.has(name) === true) this.#soon();
      });
      watcher.on('error', (error) => {
        watcher.close();
        // For the next look to try again; it may have been replaced meanwhile.
        if (this.#watchers.get(key) === watcher) this.#watchers.delete(key);
        giveUp(error);
      });
      this.#watchers.set(key, watcher);
    } catch (error) {
      giveUp(error);
    }
  }
}

interface Survey {
  /** By file; changes whenever its content may have. */
  readonly identities: ReadonlyMap<string, string>;
  /** Where events about the files come from, by name and inode. */
  readonly directories: ReadonlyMap<string, string>;
  /** By directory, the names in it that lead to a file. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

async function survey(files: readonly string[]): Promise<Survey> {
  const identities = new Map<string, string>();
  const directories = new Map<string, string>();
  const names = new Map<string, Set<string>>();
  for (const file of files) {
    identities.set(file, await identityOf(file));
    await addWay(file, names);
  }
  for (const directory of names.keys()) {
    const inode = await stat(directory).catch(() => undefined);
    if (inode !== undefined) directories.set(`${inode.dev}:${inode.ino} ${directory}`, directory);
  }
  return { identities, directories, names };
}

/** Content that is written in place within one tick of a coarse clock may keep its size: ctime helps. */
async function identityOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return 'absent';
  }
}

/**
 * Adds the names of a path, and of every link on the way to it, parents that are links
 * included; and of its directory, whose own replacement its parent tells.
 */
async function addWay(file: string, names: Map<string, Set<string>>): Promise<void> {
  const add = (path: string): void => {
    const directory = dirname(path);
    const known = names.get(directory);
    if (known === undefined) names.set(directory, new Set([basename(path)]));
    else known.add(basename(path));
  };
  const waiting = [file];
  for (let links = 0; waiting.length > 0 && links < MAX_LINKS; links++) {
    const path = waiting.pop()!;
    add(path);
    add(dirname(path));
    for (let part = path; part !== dirname(part); part = dirname(part)) {
      // Not a link, or one that was taken away this moment.
      const target = await readlink(part).catch(() => undefined);
      if (target === undefined) continue;
      add(part);
      waiting.push(resolve(dirname(part), target) + path.slice(part.length));
      break;
    }
  }
}
