import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/gateway/config/config.ts';
import { loadConfig } from '../../../src/gateway/config/load.ts';
import { createSecretNames, secretNamesOf } from '../../../src/gateway/config/secret-names.ts';
import { standardPlugins } from '../../../src/plugins/standard.ts';
import { createFolder } from './config-file.ts';

async function load(document: object): Promise<Config> {
  const loaded = await loadConfig(`${await createFolder()}/meshgate.yaml`, {
    catalogue: standardPlugins,
    env: { KEY: 'not-to-be-seen', OTHER: 'nor-this-one' },
    text: JSON.stringify({ meshgate: 1, ...document }),
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return loaded.config;
}

const respond = { status: 200, body: 'hi' };

describe('secret names', () => {
  it('are where plugins read credentials, on every route, on one and on a target', async () => {
    const config = await load({
      plugins: [{ 'api-key': { header: 'X-Partner', query: 'K' } }],
      services: { s: { endpoints: [{ address: '127.0.0.1:1' }] } },
      routes: [
        { name: 'a', respond, plugins: [{ 'api-key': { header: 'X-Own' } }] },
        { name: 'b', to: [{ service: 's', plugins: [{ 'api-key': { header: 'X-Target' } }] }] },
      ],
    });
    const { headers, queries } = secretNamesOf(config, standardPlugins);
    expect([...headers]).toEqual(['x-partner', 'x-own', 'x-target']);
    expect([...queries]).toEqual(['k']);
  });

  it('are fields that are written with what was substituted', async () => {
    const config = await load({
      routes: [
        {
          name: 'a',
          respond,
          plugins: [
            {
              headers: {
                request: {
                  set: { 'X-Up': '${KEY}', 'x.dotted': 'for ${KEY}', 'X-Plain': 'plain' },
                  add: { 'X-More': ['plain', '${OTHER}'] },
                },
              },
            },
          ],
        },
      ],
    });
    const { headers } = secretNamesOf(config, standardPlugins);
    expect([...headers].toSorted()).toEqual(['x-more', 'x-up', 'x.dotted']);
  });

  it('are those of the configuration in force', async () => {
    let current = await load({ plugins: [{ 'api-key': { header: 'x-a' } }] });
    const names = createSecretNames(() => current, standardPlugins);
    expect(names()).toBe(names());
    expect([...names().headers]).toEqual(['x-a']);
    current = await load({});
    expect([...names().headers]).toEqual([]);
  });
});
