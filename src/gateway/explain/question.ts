/** Question → request: a method and a URL as they would arrive on one of the listeners. */
import type { Config } from '../config/config.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import { admitsHost, parseHostPattern } from '../routing/host-pattern.ts';
import { allListenersOf } from '../doors/door-listeners.ts';
import { isMeshHost } from '../doors/on-demand-services.ts';
import { toFacts } from '../listener/listener-facts.ts';
import type { ExplainRequest } from './explain.ts';

export interface ExplainQuestion {
  readonly method: string;
  readonly url: URL;
  /** Flat field lines. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
}

/** A request that could not come in at any door. */
export class UnexplainableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnexplainableError';
  }
}

/** Throws an `UnexplainableError` where no listener speaks the URL's scheme. */
export function toExplainRequest(question: ExplainQuestion, config: Config): ExplainRequest {
  const { method, url, headers, body } = question;
  const listener = listenerFor(url, allListenersOf(config));
  return {
    method,
    target: url.pathname + url.search,
    authority: url.host,
    headers,
    body,
    clientAddress: '127.0.0.1',
    listener: toFacts(listener, listener.port),
  };
}

/** By scheme; of several, the one with the URL's port goes first, then the one that serves its name, or the mesh's. */
function listenerFor(url: URL, listeners: readonly ListenerConfig[]): ListenerConfig {
  const scheme = url.protocol.slice(0, -1);
  const speaking = listeners.filter(({ protocol }) => protocol === scheme);
  const listener =
    speaking.find(({ port }) => String(port) === url.port) ??
    speaking.find(({ hosts }) =>
      hosts.some((host) => admitsHost(parseHostPattern(host), url.hostname)),
    ) ??
    speaking.find(({ door }) => door === 'outbound' && isMeshHost(url.hostname)) ??
    speaking[0];
  if (listener === undefined) {
    throw new UnexplainableError(`no listener of the configuration speaks ${scheme}`);
  }
  return listener;
}
