/** The supervisor's side of limits: answers what workers ask, from the windows that it has. */
import type { LimitWindows } from '../../../mesh/limits/limit-windows.ts';
import type { Link } from '../link.ts';
import type { AnswerBatch, AskBatch, NumberedAnswer } from './limit-messages.ts';

export interface LimitDeskOptions {
  readonly windows: LimitWindows;
  /** Workers of all nodes that share the limits. */
  readonly sharers: () => number;
  /** As with `LinkedWindows`. */
  readonly defer?: ((run: () => void) => void) | undefined;
}

export interface LimitDesk {
  /** Serves a worker from now on. Returns its end: what a worker that died has drawn stays charged. */
  attach(link: Link<AnswerBatch, AskBatch>): () => void;
}

export function createLimitDesk(options: LimitDeskOptions): LimitDesk {
  const { windows, sharers, defer = setImmediate } = options;
  return {
    attach(link) {
      let answers: NumberedAnswer[] = [];
      let isDue = false;
      let isGone = false;

      function flush(): void {
        isDue = false;
        if (isGone) return;
        const batch = answers;
        answers = [];
        link.send({ isConnected: windows.isConnected, sharers: sharers(), answers: batch });
      }

      function schedule(): void {
        if (isDue) return;
        isDue = true;
        defer(flush);
      }

      function answer(id: number, grant: NumberedAnswer['grant']): void {
        answers.push({ id, grant });
        schedule();
      }

      link.receive(({ asks }) => {
        for (const { id, window, ask } of asks) {
          windows.ask(window, ask).then(
            (grant) => answer(id, grant),
            (error: unknown) => answer(id, error instanceof Error ? error.message : String(error)),
          );
        }
      });
      const stopListening = windows.onConnection(schedule);
      flush();
      return () => {
        isGone = true;
        stopListening();
      };
    },
  };
}
