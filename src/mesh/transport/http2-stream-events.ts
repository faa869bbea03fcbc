/** From a node client stream to the few things that a try wants to hear of it. */
import { constants } from 'node:http2';
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { Readable } from 'node:stream';

/** Hears one stream. All may be called, `onClose` last and once. */
export interface StreamListener {
  onStreamInformational(status: number, fields: string[]): void;
  /** `isWhole`: nothing comes after it, END_STREAM was on its frame. */
  onStreamHead(status: number, fields: string[], isWhole: boolean): void;
  onStreamData(chunk: Buffer): void;
  onStreamTrailers(fields: string[]): void;
  /** All that was received has been read. `isComplete`: the peer ended the stream itself. */
  onStreamEnd(isComplete: boolean): void;
  onStreamDrain(): void;
  onStreamWantsTrailers(): void;
  onStreamClose(cause: Error | undefined): void;
}

// The listener hangs on the stream, so that all streams share the same handlers and a request
// makes no closures.
const LISTENER = Symbol('listener');
const CAUSE = Symbol('cause');
const IS_COMPLETE = Symbol('isComplete');

interface ListenedStream extends ClientHttp2Stream {
  [LISTENER]: StreamListener;
  [CAUSE]: Error | undefined;
  [IS_COMPLETE]: boolean;
}

type StatusFields = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** Attaches a listener. The body is not read before `readStream`. */
export function listenToStream(
  stream: ClientHttp2Stream,
  listener: StreamListener,
  hasBody: boolean,
): void {
  const listened = stream as ListenedStream;
  listened[LISTENER] = listener;
  listened[CAUSE] = undefined;
  listened[IS_COMPLETE] = false;
  listened.push = pushNotingEnd;
  listened.on('headers', onHeaders);
  listened.on('response', onResponse);
  listened.on('trailers', onTrailers);
  listened.on('end', onEnd);
  listened.on('error', onError);
  listened.on('close', onClose);
  if (hasBody) {
    listened.on('drain', onDrain);
    listened.on('wantTrailers', onWantTrailers);
  }
}

/** Lets the answer's body flow, unless the stream was paused before. */
export function readStream(stream: ClientHttp2Stream): void {
  stream.on('data', onData);
}

/**
 * Node ends the readable side with the same `push(null)` for END_STREAM and for a peer that
 * breaks off by RST_STREAM(NO_ERROR) or by closing the connection, and emits 'end' for each; a
 * truncated answer would look complete. Only at the first is the stream not closed yet
 * (seen on Node 24.21).
 */
function pushNotingEnd(this: ListenedStream, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk === null && !this.closed) this[IS_COMPLETE] = true;
  return Readable.prototype.push.call(this, chunk, encoding);
}

function onHeaders(
  this: ListenedStream,
  headers: StatusFields,
  _flags: number,
  raw: string[],
): void {
  this[LISTENER].onStreamInformational(headers[':status']!, withoutStatus(raw));
}

function onResponse(
  this: ListenedStream,
  headers: StatusFields,
  flags: number,
  raw: string[],
): void {
  const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  this[LISTENER].onStreamHead(headers[':status']!, withoutStatus(raw), isWhole);
}

/** `:status` comes first: no other pseudo-header is in an answer, and none after a field (RFC 9113 §8.3). */
function withoutStatus(raw: string[]): string[] {
  return raw.slice(2);
}

function onData(this: ListenedStream, chunk: Buffer): void {
  this[LISTENER].onStreamData(chunk);
}

function onTrailers(
  this: ListenedStream,
  _headers: IncomingHttpHeaders,
  _flags: number,
  raw: string[],
): void {
  this[LISTENER].onStreamTrailers(raw);
}

function onEnd(this: ListenedStream): void {
  this[LISTENER].onStreamEnd(this[IS_COMPLETE]);
}

function onDrain(this: ListenedStream): void {
  this[LISTENER].onStreamDrain();
}

function onWantTrailers(this: ListenedStream): void {
  this[LISTENER].onStreamWantsTrailers();
}

/** Kept until 'close', which follows: by then the session has told why it ended. */
function onError(this: ListenedStream, error: Error): void {
  this[CAUSE] = error;
}

function onClose(this: ListenedStream): void {
  this[LISTENER].onStreamClose(this[CAUSE]);
}
