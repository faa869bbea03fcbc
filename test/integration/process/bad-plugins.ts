/** Preloaded into a gateway: adds plugins that do what no plugin should. */
import { definePlugin, Type, type PluginHooks } from '../../../src/plugins/sdk/plugin.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';

function misbehave(name: string, onRequest: NonNullable<PluginHooks['onRequest']>): void {
  const plugin = definePlugin({
    name,
    config: Type.Object({}),
    stage: 'edge',
    deadlineMs: 100,
    create: () => ({ onRequest }),
  });
  // There is no other way in yet: the catalogue is the program's own.
  (standardPlugins as Map<string, unknown>).set(name, plugin);
}

misbehave('throws', () => {
  throw new Error('thrown in the hook');
});
misbehave('rejects', () => Promise.reject(new Error('rejected in the hook')));
misbehave('hangs', () => new Promise(() => undefined));
misbehave('leaks', () => {
  void Promise.reject(new Error('leaked by the hook'));
});
misbehave('rejects-late', async () => {
  await new Promise((resolve) => setTimeout(resolve, 150));
  throw new Error('after the deadline');
});
misbehave('explodes', () => {
  setImmediate(() => {
    throw new Error('thrown where nobody can catch it');
  });
});
