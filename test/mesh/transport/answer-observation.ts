/** What a reader makes of an answer, and what becomes of the connection that it came over. */
import { UpstreamRecorder } from '../../contracts/upstream-recorder.ts';
import { requestOf } from '../../contracts/upstream-origin.ts';
import { type AnswerOrigin, PROBE_BODY, PROBE_TARGET, type RawAnswer } from './answer-origin.ts';
import type { AnswerReader, CreateAnswerReader } from './answer-readers.ts';

/** An answer together with what was asked. */
export interface AskedAnswer extends RawAnswer {
  readonly isHead: boolean;
  /** The token of the Upgrade field that was sent. */
  readonly upgrade: string | undefined;
  readonly maxHeadBytes: number;
}

export interface Observation {
  readonly outcome: 'done' | 'upgraded' | 'failed';
  /** It was over only when the connection had ended. */
  readonly waited: boolean;
  readonly informational: readonly {
    readonly status: number;
    readonly headers: readonly string[];
  }[];
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
  /** Or what came out of the tunnel. */
  readonly body: string;
  readonly trailers: readonly string[];
  /** Where the next request went, and whether it got its own answer. */
  readonly next: 'same connection' | 'new connection' | 'not its answer' | 'no answer';
  /** How it failed, in words; for messages alone. */
  readonly failure: string | undefined;
}

/** The next request got its own answer, on the same connection only after an answer that was whole. */
export function isSafe({ outcome, waited, next }: Observation): boolean {
  return next === 'new connection' || (next === 'same connection' && outcome === 'done' && !waited);
}

/** More than a stalled machine needs; nothing waits for it. */
const HUNG_MS = 10_000;

export async function observe(
  origin: AnswerOrigin,
  create: CreateAnswerReader,
  answer: AskedAnswer,
): Promise<Observation> {
  const reader = create(origin.port, answer.maxHeadBytes);
  try {
    const written = origin.play(answer);
    const method = answer.isHead ? 'HEAD' : 'GET';
    const heard = new UpstreamRecorder();
    reader.send(requestOf({ method, upgrade: answer.upgrade, target: '/answer' }), heard);
    await written;
    await origin.settle();
    const waited = !heard.isOver;
    if (waited) origin.endAnswer();
    await over(heard);
    const { error, tunnel, informational, status, reason, headers, trailers = [] } = heard;
    let body = heard.text;
    if (tunnel !== undefined) {
      tunnel.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      await origin.settle();
      tunnel.destroy();
    }
    return {
      outcome: error !== undefined ? 'failed' : tunnel === undefined ? 'done' : 'upgraded',
      waited: waited && error === undefined,
      informational: informational.map((interim) => ({
        ...interim,
        headers: inNameOrder(interim.headers),
      })),
      status,
      reason,
      fields: inNameOrder(headers),
      body,
      trailers,
      next: await probe(origin, reader),
      failure: error?.message,
    };
  } finally {
    reader.destroy();
  }
}

async function probe(origin: AnswerOrigin, reader: AnswerReader): Promise<Observation['next']> {
  // An end that came with the answer is seen by now.
  await origin.settle();
  origin.probed = 0;
  const heard = new UpstreamRecorder();
  reader.send(requestOf({ target: PROBE_TARGET }), heard);
  await over(heard);
  if (heard.error !== undefined) return 'no answer';
  if (heard.text !== PROBE_BODY) return 'not its answer';
  return origin.probed === origin.answered ? 'same connection' : 'new connection';
}

async function over(heard: UpstreamRecorder): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no end of the answer is told')), HUNG_MS);
  await Promise.race([heard.until(() => heard.isOver), promise]);
  clearTimeout(timer);
}

/** Lines of different names have no order among each other, those of one name have theirs (RFC 9110 §5.3). */
function inNameOrder(fields: readonly string[]): string[] {
  const lines: [name: string, value: string][] = [];
  for (let i = 0; i < fields.length; i += 2) lines.push([fields[i]!, fields[i + 1]!]);
  const keys = new Map(lines.map((line) => [line, line[0].toLowerCase()]));
  return lines
    .sort((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : keys.get(a)! > keys.get(b)! ? 1 : 0))
    .flat();
}
