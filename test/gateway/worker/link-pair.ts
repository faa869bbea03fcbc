/** A link between two processes, in one: messages are cloned, in order, and arrive in a later turn of the loop. */
import type { Link } from '../../../src/gateway/worker/link.ts';

export interface LinkPair<Out, In> {
  readonly worker: Link<Out, In>;
  readonly supervisor: Link<In, Out>;
  /** Messages sent by the worker and by the supervisor. */
  readonly sent: { worker: number; supervisor: number };
  /** As when one of them dies: nothing arrives any more. */
  cut(): void;
}

/** What one side has said to the other. */
class Way<Message> {
  #listener: ((message: Message) => void) | undefined;
  #kept: Message[] = [];

  arrive(message: Message): void {
    if (this.#listener === undefined) this.#kept.push(message);
    else this.#listener(message);
  }

  listen(listener: (message: Message) => void): void {
    this.#listener = listener;
    for (const message of this.#kept.splice(0)) listener(message);
  }
}

/** `defer`: runs it in a later turn of the loop; what is sent first arrives first. */
export function linkPair<Out, In>(
  defer: (run: () => void) => void = setImmediate,
): LinkPair<Out, In> {
  const toSupervisor = new Way<Out>();
  const toWorker = new Way<In>();
  const sent = { worker: 0, supervisor: 0 };
  let isCut = false;
  const carry = <Message>(way: Way<Message>, message: Message): void => {
    const copy = structuredClone(message);
    defer(() => {
      if (!isCut) way.arrive(copy);
    });
  };
  return {
    worker: {
      send(message) {
        sent.worker++;
        carry(toSupervisor, message);
      },
      receive: (listener) => toWorker.listen(listener),
    },
    supervisor: {
      send(message) {
        sent.supervisor++;
        carry(toWorker, message);
      },
      receive: (listener) => toSupervisor.listen(listener),
    },
    sent,
    cut() {
      isCut = true;
    },
  };
}
