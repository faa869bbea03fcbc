/** Plugins that behave as badly as they can; a test puts them beside the built-in ones. */
import { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { definePlugin, Type, type PluginDefinition } from '../../../src/plugins/sdk/plugin.ts';

/** What their errors say; no answer may ever have it in it. */
export const SECRET = 'hunter2-in-an-error-message';

const throwing = definePlugin({
  name: 'throwing',
  config: Type.Object({}),
  stage: 'authorize',
  create: () => ({
    onRequest() {
      throw new Error(`cannot open postgres://app:${SECRET}@db.internal/orders`);
    },
  }),
});

const hanging = definePlugin({
  name: 'hanging',
  config: Type.Object({}),
  stage: 'authorize',
  deadlineMs: 50,
  create: () => ({ onRequest: () => new Promise<undefined>(() => {}) }),
});

const rejectingAnswers = definePlugin({
  name: 'rejecting-answers',
  config: Type.Object({}),
  stage: 'shape',
  create: () => ({ onUpstreamResponse: () => Promise.reject(new Error(SECRET)) }),
});

/** Breaks what belongs to the gateway, so that the gateway's own code fails. */
const vandal = definePlugin({
  name: 'vandal',
  config: Type.Object({}),
  stage: 'shape',
  create: () => ({
    onRequest({ request }) {
      breakProperty(request, 'authority');
    },
  }),
});

/** Breaks even what an answer to the failure would be made of. */
const arsonist = definePlugin({
  name: 'arsonist',
  config: Type.Object({}),
  stage: 'shape',
  create: () => ({
    async onRequest({ request }) {
      await nextTurn();
      breakProperty(request.headers, 'rest');
      breakProperty(request.headers, 'get');
    },
  }),
});

/** Answers with what is no answer, as plain JavaScript may. */
const misanswering = definePlugin({
  name: 'misanswering',
  config: Type.Object({ by: Type.Enum(['null', 'body', 'status', 'promise']) }),
  stage: 'authorize',
  create: ({ by }) => ({
    onRequest(): never {
      const good = { status: 200, headers: [], body: 'ok' };
      const bad = {
        null: null,
        body: { ...good, body: { message: SECRET } },
        status: { ...good, status: '200' },
        promise: Promise.resolve({ ...good, body: 7 }),
      };
      return bad[by] as never;
    },
  }),
});

/** Tears up the fields of an answer that the gateway makes itself, at once or later. */
const tearing = definePlugin({
  name: 'tearing',
  config: Type.Object({ later: Type.Boolean() }),
  stage: 'shape',
  create: ({ later }) => ({
    onResponse({ response }) {
      const tear = (): void => void ((response.headers as { raw: unknown }).raw = undefined);
      return later ? nextTurn().then(tear) : tear();
    },
  }),
});

/** Tells the log what JSON cannot say. */
const babbling = definePlugin({
  name: 'babbling',
  config: Type.Object({}),
  stage: 'shape',
  create: () => ({
    onLog(_exchange, record) {
      record['self'] = record;
    },
  }),
});

/** Sends bodies through a stream that fails, or ends before its time. */
const mangling = definePlugin({
  name: 'mangling',
  config: Type.Object({
    what: Type.Enum(['request', 'response']),
    how: Type.Enum(['fails', 'stops']),
  }),
  stage: 'shape',
  create: ({ what, how }) => {
    const createMangler = (): Transform =>
      new Transform({
        async transform(chunk, _encoding, done) {
          if (what === 'response') {
            this.push(chunk);
            // By then some of the answer has left, and it cannot be another one any more.
            await nextTurn();
            await nextTurn();
          }
          if (how === 'fails') done(new Error(SECRET));
          else this.destroy();
        },
      });
    return {
      onRequest({ request }) {
        if (what === 'request') request.transformBody(createMangler());
      },
      onUpstreamResponse({ response }) {
        if (what === 'response') response.transformBody(createMangler());
      },
    };
  },
});

/** For a catalogue, by name. */
export const badPlugins: readonly (readonly [name: string, plugin: PluginDefinition])[] = [
  throwing,
  hanging,
  rejectingAnswers,
  vandal,
  arsonist,
  babbling,
  mangling,
  misanswering,
  tearing,
].map((plugin) => [plugin.name, plugin]);

function breakProperty(of: object, name: string): void {
  Object.defineProperty(of, name, {
    get() {
      throw new TypeError(`cannot read ${SECRET}`);
    },
  });
}
