/** A worker's side of the topology: its counts go to the supervisor, which publishes those of the node. */
import { scheduleTimer, type Schedule } from '../../../mesh/backplane/schedule.ts';
import type { TopologyRecorder } from '../../../mesh/topology/recorder.ts';
import type { Link } from '../link.ts';
import type { EdgeNews } from './edge-messages.ts';

export interface EdgeTellerOptions {
  readonly recorder: Pick<TopologyRecorder, 'take'>;
  readonly link: Pick<Link<EdgeNews, never>, 'send'>;
  readonly schedule?: Schedule | undefined;
}

export interface EdgeTeller {
  start(): void;
  /** Tells what is left. */
  stop(): void;
}

/** Short beside the 5 s of the node's reports, so that these lag little behind. */
const TELL_MS = 1_000;

export function createEdgeTeller(options: EdgeTellerOptions): EdgeTeller {
  const { recorder, link, schedule = scheduleTimer } = options;
  let callOff = (): void => {};

  function tell(): void {
    const edges = recorder.take();
    if (edges.length > 0) link.send(edges);
  }

  function tick(): void {
    tell();
    callOff = schedule(TELL_MS, tick);
  }

  return {
    start() {
      callOff = schedule(TELL_MS, tick);
    },
    stop() {
      callOff();
      tell();
    },
  };
}
