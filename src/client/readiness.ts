/** Waits until nothing is missing any more, or says what is. */
import { MeshClientError } from './client-error.ts';

export interface ReadinessOptions {
  /** In words; empty: ready. */
  readonly missing: () => readonly string[];
  /** Tells when to look again; returns how to stop that. */
  readonly onChange: (listener: () => void) => () => void;
  readonly timeoutMs: number;
  /** Its reason is what the wait ends with. */
  readonly closing: AbortSignal;
}

export function untilReady(options: ReadinessOptions): Promise<void> {
  const { missing, onChange, timeoutMs, closing } = options;
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      stopListening();
      closing.removeEventListener('abort', close);
      settle();
    };
    const look = (): void => {
      if (missing().length === 0) end(resolve);
    };
    const close = (): void => end(() => reject(closing.reason as Error));
    const timer = setTimeout(() => {
      const what = missing().join('; ');
      end(() =>
        reject(new MeshClientError('not_ready', `not ready within ${timeoutMs} ms: ${what}`)),
      );
    }, timeoutMs);
    const stopListening = onChange(look);
    closing.addEventListener('abort', close);
    if (closing.aborted) close();
    else look();
  });
}
