import { describe, expect, it } from 'vitest';
import { createStaticSource } from '../../../src/mesh/discovery/static.ts';
import type { EndpointSpec } from '../../../src/mesh/endpoint.ts';

describe('createStaticSource', () => {
  it('yields its list at once, in its order', () => {
    const heard: (readonly EndpointSpec[])[] = [];
    const source = createStaticSource([
      { host: '10.0.0.2', port: 3001, weight: 2, metadata: { version: 'v1', zone: 'eu-1a' } },
      { host: '::1', port: 3002 },
    ]);
    source.start((endpoints) => heard.push(endpoints));
    source.stop();
    expect(heard).toEqual([
      [
        {
          id: '10.0.0.2:3001',
          host: '10.0.0.2',
          port: 3001,
          weight: 2,
          metadata: { version: 'v1', zone: 'eu-1a' },
          zone: 'eu-1a',
        },
        { id: '[::1]:3002', host: '::1', port: 3002, weight: 1, metadata: {} },
      ],
    ]);
  });
});
