/** What a request must not say, over either version of HTTP: it could break out of its line or its framing. */
import { IS_TARGET, IS_TOKEN, isMadeOf } from './octets.ts';
import type { UpstreamRequest } from './upstream.ts';

/** The request cannot be written without breaking the framing; nothing has been sent. */
export class RequestSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RequestSyntaxError';
  }
}

/** Methods whose requests say so when they have no body (RFC 9110 §8.6); others leave it out. */
export const MEANS_A_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Throws RequestSyntaxError where method or target are not what they may be. */
export function checkRequestLine({ method, target }: UpstreamRequest): void {
  if (method.length === 0 || !isMadeOf(method, IS_TOKEN)) {
    throw new RequestSyntaxError('the method is not a token');
  }
  // Its 2xx has no body but a tunnel (RFC 9110 §9.3.6), which is made by `upgrade` alone.
  if (method === 'CONNECT') throw new RequestSyntaxError('CONNECT cannot be forwarded');
  if (target.length === 0 || !isMadeOf(target, IS_TARGET)) {
    throw new RequestSyntaxError('the target holds a character that it must not');
  }
}

/** Throws RequestSyntaxError where it is not what it may be. */
export function checkAuthority(authority: string): void {
  if (!isMadeOf(authority, IS_TARGET)) {
    throw new RequestSyntaxError('the authority holds a character that it must not');
  }
}
