/** What an explanation leaves behind. */
import { describe, expect, it } from 'vitest';
import { explainRequest, type ExplanationOptions } from '../../src/app/explanation.ts';

describe('an explanation', () => {
  it('lets go of the backplane where the configuration cannot be compiled', async () => {
    const steps: string[] = [];
    const backplane = {
      start: async () => void steps.push('start'),
      close: async () => void steps.push('close'),
    };
    const options = {
      first: { owner: 'file', config: {}, hash: '' },
      surroundings: { environment: {} },
      snapshots: { compile: () => Promise.reject(new Error('no plugin')) },
      node: { backplane },
    } as unknown as ExplanationOptions;
    const question = { method: 'GET', url: new URL('http://a/'), headers: [], body: undefined };
    await expect(explainRequest(question, options)).rejects.toThrow('no plugin');
    expect(steps).toEqual(['start', 'close']);
  });
});
