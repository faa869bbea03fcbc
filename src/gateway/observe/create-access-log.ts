/** The access log's writer, as the configuration wants it. */
import type { Log } from '../../plugins/sdk/plugin-context.ts';
import type { Config } from '../config/config.ts';
import { createLineWriter, type LineWriter } from './line-writer.ts';

export interface AccessLog {
  readonly writer: LineWriter;
  /** Share of the exchanges that are logged, failures aside. */
  readonly sample: number;
}

/** Undefined where none is wanted. Its own troubles are told in `log`. `isShared`: other processes write there too. */
export function createAccessLog(
  { telemetry }: Pick<Config, 'telemetry'>,
  log: Log,
  isShared = false,
): AccessLog | undefined {
  const { accessLog } = telemetry;
  if (accessLog === undefined) return undefined;
  const writer = createLineWriter({
    path: accessLog.path,
    isShared,
    onFailure(error) {
      log.error(
        { err: error },
        'the access log cannot be written; lines will be dropped and counted',
      );
    },
    onRecovery: (dropped) => log.info({ dropped }, 'the access log is written again'),
  });
  return { writer, sample: accessLog.sample };
}
