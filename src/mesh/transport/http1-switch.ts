/** Whether an answer may turn its connection into a tunnel. */
import { sameName } from '../../plugins/sdk/header-fields.ts';
import { AnswerSyntaxError } from './answer-syntax-error.ts';
import type { AnswerHead } from './http1-answer-head.ts';

/**
 * Throws AnswerSyntaxError unless a 101 switches to what was asked for (RFC 9110 §15.2.2): the
 * client would go on in it, to an upstream that goes on in something else.
 */
export function checkSwitch(head: AnswerHead, wanted: string | undefined): void {
  if (wanted === undefined) {
    throw new AnswerSyntaxError('101 to a request that asked for no upgrade');
  }
  const token = wanted.toLowerCase();
  const headers = head.headers.raw;
  for (let i = 0; i < headers.length; i += 2) {
    if (sameName(headers[i]!, 'upgrade') && sameName(headers[i + 1]!, token)) return;
  }
  throw new AnswerSyntaxError('101 to another protocol than was asked for');
}
