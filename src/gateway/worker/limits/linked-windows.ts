/** A worker's view of the windows: its supervisor is asked, whoever counts behind it. */
import type { Ask, Grant, LimitWindow, LimitWindows } from '../../../mesh/limits/limit-windows.ts';
import type { Link } from '../link.ts';
import type { AnswerBatch, AskBatch } from './limit-messages.ts';

export interface LinkedWindowsOptions {
  readonly link: Link<AskBatch, AnswerBatch>;
  /** As many as the windows behind have: `limitLanes`. */
  readonly lanes: number;
  /** Runs it when this turn of the loop has heard of all there is to hear; default: `setImmediate`. */
  readonly defer?: (run: () => void) => void;
}

interface Asked {
  resolve(grant: Grant): void;
  reject(error: Error): void;
}

export class LinkedWindows implements LimitWindows {
  readonly counter = 'the supervisor';
  readonly lanes: number;
  readonly #link: Link<AskBatch, AnswerBatch>;
  readonly #defer: (run: () => void) => void;
  readonly #asked = new Map<number, Asked>();
  readonly #listeners = new Set<() => void>();
  readonly #send = (): void => this.#flush();
  #batch: AskBatch['asks'][number][] = [];
  #nextId = 0;
  #isConnected = false;
  #sharers = 1;

  constructor({ link, lanes, defer = setImmediate }: LinkedWindowsOptions) {
    this.lanes = lanes;
    this.#link = link;
    this.#defer = defer;
    link.receive((batch) => this.#take(batch));
  }

  /** Not before the supervisor's first word. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Workers of all nodes that share the limits, as far as is known. */
  get sharers(): number {
    return this.#sharers;
  }

  onConnection(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ask(window: LimitWindow, ask: Ask): Promise<Grant> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#asked.set(id, { resolve, reject });
      if (this.#batch.push({ id, window, ask }) === 1) this.#defer(this.#send);
    });
  }

  #flush(): void {
    const asks = this.#batch;
    this.#batch = [];
    this.#link.send({ asks });
  }

  #take({ isConnected, sharers, answers }: AnswerBatch): void {
    this.#sharers = sharers;
    for (const { id, grant } of answers) {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (typeof grant === 'string') asked?.reject(new Error(grant));
      else asked?.resolve(grant);
    }
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    for (const listener of this.#listeners) listener();
  }
}
