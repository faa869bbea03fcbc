/** What lies beneath a socket of node:net: its handle, for those who read and write past the stream on it. */
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What Node.js calls `StreamBase` (src/stream_base.h): the methods of TCP and TLS sockets alike. */
export interface StreamHandle {
  /** Called with each read, and with an end or an error; what it returns is read into from then on. */
  onread: (this: StreamHandle, memory?: ArrayBufferLike) => Uint8Array | undefined;
  useUserBuffer(bytes: Uint8Array): void;
  /** Returns 0, or the negative number of an error. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writeLatin1String(request: WriteRequest, text: string): number;
}

/** Of a write that the system has not taken at once; until then it is not used, and may serve the next. */
export interface WriteRequest {
  oncomplete?: (status: number) => void;
  /** Keeps alive what is being written. */
  data?: string | Uint8Array;
}

interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  /** What the newest read and the newest write came to, for all handles. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

/**
 * Undefined where Node.js has it elsewhere, or does not give it (its permission model): then
 * everything is as without it, and only slower. `process.binding` is the one way to it (DEP0111, in the
 * documentation only): net.Socket has no write or read without a stream around it.
 */
export const streamWrap: StreamWrap | undefined = findStreamWrap();

function findStreamWrap(): StreamWrap | undefined {
  try {
    const node = process as { binding?(name: string): Partial<StreamWrap> };
    const found = node.binding?.('stream_wrap');
    return found !== undefined && isStreamWrap(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isStreamWrap(found: Partial<StreamWrap>): found is StreamWrap {
  const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found;
  return (
    typeof WriteWrap === 'function' &&
    streamBaseState instanceof Int32Array &&
    kReadBytesOrError !== undefined &&
    kLastWriteWasAsync !== undefined
  );
}

/** Undefined for one that is closed, or is no socket of the system's. */
export function handleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: Partial<StreamHandle> | null };
  return handle?.useUserBuffer === undefined ? undefined : (handle as StreamHandle);
}

/** What the octets of TLS go to. */
export interface Carrier {
  /** Bytes that the system has not taken. */
  readonly writeQueueSize: number;
}

/** Undefined for one that is closed, and where Node.js has it elsewhere. */
export function carrierOf(socket: TLSSocket): Carrier | undefined {
  const { _parent: carrier } = (handleOf(socket) ?? {}) as { _parent?: Partial<Carrier> };
  return carrier?.writeQueueSize === undefined ? undefined : (carrier as Carrier);
}

/** As Node.js does at each read and write, for those that `socket.setTimeout` watches. */
export function noteActivity(socket: Socket): void {
  const { _unrefTimer: restartTimeout } = socket as unknown as {
    readonly _unrefTimer?: (this: Socket) => void;
  };
  restartTimeout?.call(socket);
}

const slotNames = Object.getOwnPropertySymbols(new Socket());

export type Slots = Record<symbol, unknown>;

/** Where a socket has what it is described as; undefined on a Node.js that has it elsewhere. */
export function findSlot(description: string): symbol | undefined {
  return slotNames.find((symbol) => symbol.description === description);
}
