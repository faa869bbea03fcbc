/** Runs wrk, and reads what it measured. */
import { join } from 'node:path';
import { LOAD_CORE } from './cores.ts';
import type { ProcessKeeper } from './process-keeper.ts';

export interface LoadOptions {
  readonly url: string;
  /** The Host field; default: the host of `url`. */
  readonly host?: string | undefined;
  /** Further field lines, such as `Via: 1.1 proxy`. */
  readonly fields?: readonly string[] | undefined;
  readonly connections: number;
  readonly seconds: number;
  readonly requests?: RequestFile | undefined;
}

/** A request a line: the path, or the path, a tab and a bearer token. */
export interface RequestFile {
  readonly file: string;
  readonly order: 'random' | 'cycle';
  /** Sends each as a POST with a body so long; default: GET. */
  readonly bodyBytes?: number | undefined;
}

export interface LoadResult {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** Numbers of requests that failed; `status` counts answers of 400 and above. */
  readonly errors: Readonly<Record<string, number>>;
}

const SCRIPT = join(import.meta.dirname, 'wrk.lua');
const MARK = /^bench (\{.*\})$/m;

/** The line that `wrk.lua` prints, among wrk's own. */
export function parseLoad(output: string): LoadResult {
  const line = MARK.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk has printed no result: ${output.slice(-500)}`);
  return JSON.parse(line) as LoadResult;
}

export function countErrors({ errors }: LoadResult): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

export async function runLoad(processes: ProcessKeeper, options: LoadOptions): Promise<LoadResult> {
  const { url, host, fields = [], connections, seconds, requests } = options;
  const command = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', SCRIPT];
  if (host !== undefined) command.push('-H', `Host: ${host}`);
  for (const field of fields) command.push('-H', field);
  command.push(url);
  const output = await processes.run(command, {
    core: LOAD_CORE,
    env:
      requests === undefined
        ? {}
        : {
            BENCH_REQUESTS: requests.file,
            BENCH_ORDER: requests.order,
            BENCH_BODY_BYTES: String(requests.bodyBytes ?? 0),
          },
  });
  return parseLoad(output);
}
