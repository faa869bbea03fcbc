/** Handlers of undici before version 7, such as those of the fetch that Node 24 has built in. */
import type { Duplex } from 'node:stream';
import { errors, type Dispatcher } from 'undici';

type Controller = Dispatcher.DispatchController;

/** Fields come as bytes, and what is returned says whether more is wanted at once. */
export interface LegacyHandler {
  onConnect?(abort: (reason?: Error) => void, context: unknown): void;
  onUpgrade?(status: number, headers: Buffer[], socket: Duplex): unknown;
  onResponseStarted?(): void;
  onHeaders?(status: number, headers: Buffer[], resume: () => void, reason: string): unknown;
  onData?(chunk: Buffer): unknown;
  onComplete?(trailers: Buffer[]): void;
  onError?(error: Error): void;
}

/** The handler as it is, or in the terms of the present ones. */
export function toPresentHandler(
  handler: Dispatcher.DispatchHandler | LegacyHandler,
): Dispatcher.DispatchHandler {
  return isLegacy(handler) ? new LegacyAdapter(handler) : handler;
}

function isLegacy(handler: Dispatcher.DispatchHandler | LegacyHandler): handler is LegacyHandler {
  return !('onRequestStart' in handler) && 'onConnect' in handler;
}

class LegacyAdapter implements Dispatcher.DispatchHandler {
  readonly #handler: LegacyHandler;

  constructor(handler: LegacyHandler) {
    this.#handler = handler;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    const abort = (reason?: Error): void =>
      controller.abort(reason ?? new errors.RequestAbortedError());
    this.#handler.onConnect?.(abort, context);
  }

  onRequestUpgrade(controller: Controller, status: number, _headers: object, socket: Duplex): void {
    if (this.#handler.onUpgrade === undefined) {
      throw new errors.InvalidArgumentError('invalid onUpgrade method');
    }
    this.#handler.onUpgrade(status, toBuffers(controller.rawHeaders), socket);
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onResponseStart(
    controller: Controller,
    status: number,
    _headers: object,
    reason: string | undefined,
  ): void {
    const wantsMore = this.#handler.onHeaders?.(
      status,
      toBuffers(controller.rawHeaders),
      () => controller.resume(),
      reason ?? '',
    );
    // After an interim answer there is nothing to hold back.
    if (wantsMore === false && status >= 200) controller.pause();
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#handler.onData?.(chunk) === false) controller.pause();
  }

  onResponseEnd(controller: Controller): void {
    this.#handler.onComplete?.(toBuffers(controller.rawTrailers));
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#handler.onError?.(error);
  }
}

function toBuffers(fields: Controller['rawHeaders']): Buffer[] {
  if (!Array.isArray(fields)) return [];
  return fields.map((field) => (typeof field === 'string' ? Buffer.from(field, 'latin1') : field));
}
