/** Looks at the first bytes of a connection until somebody can tell what they are. */
import type { Socket } from 'node:net';

export interface OpeningReader<T> {
  /** Undefined: more bytes are needed to tell. */
  readonly judge: (bytes: Buffer) => T | undefined;
  /** All bytes read so far; whoever goes on puts back by `unshift` what it does not consume. */
  readonly onJudged: (verdict: T, bytes: Buffer) => void;
}

/** The connection is destroyed where it says nothing telling within `timeoutMs` (0: no limit). */
export function readOpening<T>(socket: Socket, timeoutMs: number, reader: OpeningReader<T>): void {
  let bytes: Buffer | undefined;
  const timer = timeoutMs > 0 ? setTimeout(() => socket.destroy(), timeoutMs) : undefined;

  const onReadable = (): void => {
    for (;;) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
      const verdict = reader.judge(bytes);
      if (verdict !== undefined) {
        leave();
        reader.onJudged(verdict, bytes);
        return;
      }
    }
  };
  const onEnd = (): void => {
    leave();
    socket.destroy();
  };
  const leave = (): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', leave);
  };
  socket.on('readable', onReadable).on('end', onEnd).on('close', leave);
}
