/** Whether what a hook returned is an answer at all: a plugin in plain JavaScript may return anything. */
import { Problem, type Answer } from '../../plugins/sdk/answer.ts';

/** Throws a TypeError that says what is wrong, and shows none of it. */
export function assertAnswer(result: Answer | Problem): void {
  if (result instanceof Problem) return;
  if (typeof result !== 'object' || (result as unknown) === null) {
    throw new TypeError('a hook returned neither an answer nor a problem');
  }
  const { status, headers, body } = result as { readonly [Key in keyof Answer]: unknown };
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 999) {
    throw new TypeError('an answer has a status from 200 to 999');
  }
  if (!Array.isArray(headers) || headers.length % 2 !== 0 || !headers.every(isText)) {
    throw new TypeError('the headers of an answer are a flat list of names and values');
  }
  if (body !== undefined && !isText(body) && !(body instanceof Uint8Array)) {
    throw new TypeError('the body of an answer is a text or bytes');
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
