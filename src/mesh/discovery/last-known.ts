/** The endpoints of a mesh service on the disk, for a start while the backplane is away. */
import { join } from 'node:path';
import { readDurable, writeDurable } from '../backplane/durable-file.ts';
import type { EndpointSpec } from '../endpoint.ts';

export interface LastKnown {
  readonly epoch: string;
  readonly revision: number;
  readonly endpoints: readonly EndpointSpec[];
}

export interface LastKnownFile {
  /** Undefined where there is none, or none that is whole. Rejects where the disk fails. */
  read(): Promise<LastKnown | undefined>;
  /** One write at a time; of what comes meanwhile, the newest. Resolves when nothing waits any more. */
  write(lastKnown: LastKnown): Promise<void>;
}

/** `service` must be a service's name: it becomes the file's. */
export function createLastKnownFile(directory: string, service: string): LastKnownFile {
  const path = join(directory, `${service}.json`);
  let waiting: LastKnown | undefined;
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    try {
      while (waiting !== undefined) {
        const text = JSON.stringify(waiting);
        waiting = undefined;
        await writeDurable(path, text);
      }
    } finally {
      writing = undefined;
    }
  }

  return {
    async read() {
      const { text } = await readDurable(path);
      return text === undefined ? undefined : (JSON.parse(text) as LastKnown);
    },
    async write(lastKnown) {
      waiting = lastKnown;
      writing ??= writeAll();
      return writing;
    },
  };
}
