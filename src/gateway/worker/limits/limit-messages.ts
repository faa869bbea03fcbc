/** What a worker and its supervisor say to each other about limits: whatever comes in one turn of the loop is one message. */
import type { Ask, Grant, LimitWindow } from '../../../mesh/limits/limit-windows.ts';

/** From a worker. */
export interface AskBatch {
  readonly asks: readonly NumberedAsk[];
}

interface NumberedAsk {
  /** Of the worker's own; the answer has it too. */
  readonly id: number;
  readonly window: LimitWindow;
  readonly ask: Ask;
}

/** To a worker. The first comes unasked. */
export interface AnswerBatch {
  /** Whether asking is worth while. */
  readonly isConnected: boolean;
  /** Workers of all nodes that share the limits. */
  readonly sharers: number;
  readonly answers: readonly NumberedAnswer[];
}

export interface NumberedAnswer {
  readonly id: number;
  /** Or why there is none. */
  readonly grant: Grant | string;
}
