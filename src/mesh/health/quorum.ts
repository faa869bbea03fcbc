/** When the word of other nodes on an endpoint counts: one alone raises a suspicion, a quorum decides. */

/** Fewer never agree: what one node sees may be wrong with the node itself. */
const MIN_OBSERVERS = 2;
/** Of the nodes that would see it too, if it were so. */
const SHARE_OF_TRAFFIC = 0.5;

/** `none`: nobody says anything. `suspected`: somebody does. `agreed`: enough do. */
export type QuorumVerdict = 'none' | 'suspected' | 'agreed';

/** Whether it pays to ask who has traffic to the endpoint. */
export function mayAgree(observers: ReadonlySet<string>): boolean {
  return observers.size >= MIN_OBSERVERS;
}

/**
 * `observers`: nodes that put the endpoint aside by what they saw themselves; never those that
 * took it over, or an ejection would keep itself up. `withTraffic`: nodes that sent requests to
 * it lately. Observers count among them, since they have stopped sending any.
 */
export function judgeQuorum(
  observers: ReadonlySet<string>,
  withTraffic: ReadonlySet<string>,
): QuorumVerdict {
  if (observers.size === 0) return 'none';
  if (!mayAgree(observers)) return 'suspected';
  const entitled = observers.union(withTraffic).size;
  return observers.size >= entitled * SHARE_OF_TRAFFIC ? 'agreed' : 'suspected';
}
