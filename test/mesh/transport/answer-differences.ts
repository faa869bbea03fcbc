/** Where undici's Client and the HTTP/1.1 upstream make different things of an answer, and why. */
import {
  ASPECTS,
  type Aspect,
  type Difference,
  hasName,
  keptByUndici,
  keptByUs,
  linesOf,
  NONE,
  statesBody,
  textOf,
  withTrimmedValues,
} from './answer-difference-kinds.ts';
import type { AskedAnswer, Observation } from './answer-observation.ts';
import { READ_BY_US, REFUSED_BY_US } from './answer-refusals.ts';

const KEPT_BY_US: readonly Difference[] = [
  {
    reason:
      'RFC 9110 §9.3.2: HEAD leaves the connection as it was; undici closes it always, for ' +
      'servers that send a body, which ours sees when it comes',
    rows: [
      '(parser) the answer to HEAD, whatever length it states',
      '(parser) a chunked answer to HEAD',
      'HEAD with a length',
      'HEAD without a length',
      'HEAD with chunks',
      'HEAD kept alive',
      'HEAD with 204',
      'HEAD with 304',
      '103 before HEAD',
    ],
    explains: keptByUs((_, { isHead }) => isHead),
  },
  {
    reason: 'RFC 9110 §8.6, RFC 9112 §6.1: 304 may state the length or chunks of what it spares',
    rows: ['(parser) 304 with a length', '304 that states a length', '304 in chunks'],
    explains: keptByUs((text, _, { status }) => status === 304 && statesBody(text)),
  },
  {
    reason: 'RFC 9110 §7.8: a server may ignore Upgrade, and answer as if it had not been there',
    rows: ['no upgrade where one was asked for', '200 with Upgrade where one was asked for'],
    explains: keptByUs((_, { upgrade }) => upgrade !== undefined),
  },
  {
    reason: 'RFC 9112 §C.2.2: Proxy-Connection has no meaning of its own; undici obeys it',
    rows: ['Proxy-Connection'],
    explains: keptByUs((text) =>
      linesOf(text, 'proxy-connection').some((value) => /close/i.test(value)),
    ),
  },
  {
    reason:
      'RFC 9110 §6.5.1: trailers control neither connection nor framing; undici keeps it too, and ' +
      'then fails the next request on it',
    rows: [
      'close among trailers',
      'Proxy-Connection among trailers',
      'an unknown coding among trailers',
    ],
    explains: (_, ours, theirs) =>
      theirs.next === 'no answer' &&
      ['connection', 'proxy-connection', 'transfer-encoding'].some((name) =>
        hasName(ours.trailers, name),
      )
        ? ['next']
        : NONE,
  },
  {
    reason:
      'RFC 9110 §15.2: an informational answer is not the end of the exchange, and an idle time in ' +
      'it says nothing of what follows the end; undici goes by it',
    rows: ['103 with an idle time'],
    explains: keptByUs((_, __, { informational }) =>
      informational.some(({ headers }) => hasName(headers, 'keep-alive')),
    ),
  },
];

const KEPT_BY_UNDICI: readonly Difference[] = [
  {
    reason: 'RFC 9112 §C.2.2: Proxy-Connection keeps nothing alive; undici obeys it in HTTP/1.0',
    rows: ['HTTP/1.0 kept alive by Proxy-Connection'],
    explains: keptByUndici((text) =>
      linesOf(text, 'proxy-connection').some((value) => /keep-alive/i.test(value)),
    ),
  },
  {
    reason:
      'RFC 9112 §6.3: whatever follows an answer was asked for by nobody, an empty line as well; ' +
      'undici passes over it',
    rows: ['an empty line after the body', 'an empty line after the body, later'],
    explains: keptByUndici((text) => /[\r\n]$/.test(text)),
  },
  {
    reason:
      'RFC 9112 §6.1, RFC 9110 §8.6: who states a body in 1xx, where none may be, may send it',
    rows: ['103 that states a length', '103 in chunks'],
    explains: keptByUndici((_, __, { informational }) =>
      informational.some(({ headers }) => statesBody(withLines(headers))),
    ),
  },
  {
    reason: 'RFC 2068 §19.7.1.1 has one idle time; of several ours takes the shortest, undici one',
    rows: ['two idle times'],
    explains: keptByUndici(
      (text) => linesOf(text, 'keep-alive').join().toLowerCase().split('timeout=').length > 2,
    ),
  },
];

const TOLD_OTHERWISE: readonly Difference[] = [
  {
    reason:
      'RFC 9112 §4: obs-text in a reason is octets to be passed on; undici takes it for UTF-8',
    rows: ['(parser) a reason of several words and obs-text', 'obs-text in the reason'],
    explains: (_, ours, theirs) =>
      Buffer.from(ours.reason, 'latin1').toString() === theirs.reason ? ['reason'] : NONE,
  },
  {
    reason:
      'RFC 9112 §4: the reason is all that stands there; undici forgets what came in an earlier ' +
      'segment',
    rows: ['a reason in two segments'],
    explains: ({ segments }, ours, theirs) =>
      segments.length > 1 && isEndOf(theirs.reason, ours.reason) ? ['reason'] : NONE,
  },
  {
    reason: "RFC 9112 §4 has a reason in 101 too; undici's handler is not told of it",
    rows: [
      '101 and the tunnel',
      '101 and the tunnel, later',
      '101 with a length',
      '103 before 101',
    ],
    explains: (_, { outcome }, theirs) =>
      outcome === 'upgraded' && theirs.reason === '' ? ['reason'] : NONE,
  },
  {
    reason: 'RFC 9112 §5.1: white space after a value is no part of it; undici leaves tabs on it',
    rows: ['(parser) fields with odd but legal white space, empty values and obs-text'],
    explains: (_, ours, theirs) => withTrimmedValues(ours, theirs),
  },
  {
    reason:
      'RFC 9112 §5.1, §6.3: chunked is the coding even where white space follows it; undici takes ' +
      'it for a coding that it does not know, and reads to the end of the connection',
    rows: ['chunked with white space about it'],
    explains: (asked, ours, theirs) =>
      theirs.waited && /^transfer-encoding:[\t ]*chunked[\t ]+\r/im.test(textOf(asked))
        ? ['outcome', 'waited', 'body', 'trailers', 'next', ...withTrimmedValues(ours, theirs)]
        : NONE,
  },
];

export const DIFFERENCES: readonly Difference[] = [
  ...REFUSED_BY_US,
  ...READ_BY_US,
  ...KEPT_BY_US,
  ...KEPT_BY_UNDICI,
  ...TOLD_OTHERWISE,
];

/** What differs between the two. */
export function aspectsThatDiffer(ours: Observation, theirs: Observation): Aspect[] {
  return ASPECTS.filter(
    (aspect) => JSON.stringify(ours[aspect]) !== JSON.stringify(theirs[aspect]),
  );
}

/** What differs and is on nobody's list. */
export function unlistedAspects(
  asked: AskedAnswer,
  ours: Observation,
  theirs: Observation,
): Aspect[] {
  const differing = aspectsThatDiffer(ours, theirs);
  if (differing.length === 0) return differing;
  const listed = new Set(
    DIFFERENCES.flatMap((difference) => difference.explains(asked, ours, theirs)),
  );
  return differing.filter((aspect) => !listed.has(aspect));
}

/** Whether it is how undici reads the last octets of a reason. */
function isEndOf(end: string, reason: string): boolean {
  const octets = Buffer.from(reason, 'latin1');
  return end === '' || octets.some((_, index) => octets.toString('utf8', index) === end);
}

function withLines(fields: readonly string[]): string {
  return fields.map((field, index) => field + (index % 2 === 0 ? ': ' : '\r\n')).join('');
}
