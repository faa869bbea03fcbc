/**
 * Preloaded into every process of a node: a plugin that says which worker answers and what the plugin was
 * made with, and does to that worker what the configuration or the request asks for.
 */
import { openSync } from 'node:fs';
import { definePlugin, Type } from '../../../src/plugins/sdk/plugin.ts';

/** Of the program that runs. */
const { standardPlugins } = (await import(process.env['STANDARD_PLUGINS']!)) as {
  readonly standardPlugins: Map<string, unknown>;
};

const isWorker = process.argv[1]?.includes('worker-process') === true;

const tell = definePlugin({
  name: 'tell',
  config: Type.Object({
    word: Type.String(),
    /** The worker that can make this file cannot make the plugin. */
    refusal: Type.Optional(Type.String()),
  }),
  stage: 'edge',
  create({ word, refusal }, { log }) {
    if (isWorker) {
      // Where it makes one, a worker says so in the node's log.
      log.warn({ word }, 'made');
      if (refusal !== undefined && isFirst(refusal)) throw new Error('one worker cannot make it');
    }
    return {
      onRequest({ request }) {
        if (!request.headers.has('x-explode')) return;
        setImmediate(() => {
          throw new Error('thrown where nobody can catch it');
        });
      },
      onResponse({ response }) {
        response.headers.set('x-worker', String(process.pid));
        response.headers.set('x-word', word);
      },
    };
  },
});

function isFirst(file: string): boolean {
  try {
    openSync(file, 'wx');
    return true;
  } catch {
    return false;
  }
}

// The catalogue is the program's own.
standardPlugins.set(tell.name, tell);
