/**
 * Prints what the hooks of each built-in plugin cost an exchange, without lanes, forwarding and
 * the upstream: nanoseconds of CPU, the best round. Names of cases may be given.
 * `node load-tests/micro/plugin-hooks.ts [CASE…]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Registry } from 'prom-client';
import { createConsumerDirectory } from '../../src/gateway/config/consumer-directory.ts';
import type { Snapshot } from '../../src/gateway/config/snapshot.ts';
import { GatewayExchange } from '../../src/gateway/exchange/exchange.ts';
import { toRequestId } from '../../src/gateway/exchange/request-id.ts';
import type { Connection } from '../../src/gateway/exchange/connection.ts';
import type { Downstream } from '../../src/gateway/exchange/lane.ts';
import type { Provenance } from '../../src/gateway/exchange/received-fields.ts';
import { createPlugin, type PluginEnvironment } from '../../src/gateway/pipeline/create-plugin.ts';
import { createHookChain } from '../../src/gateway/pipeline/hook-chain.ts';
import {
  runAnswerHooks,
  runRequestHooks,
  type HookChain,
} from '../../src/gateway/pipeline/hooks.ts';
import { createMemoryCounters } from '../../src/mesh/limits/memory-counters.ts';
import { standardPlugins } from '../../src/plugins/standard.ts';
import { CONSUMERS, FIELDS, toPluginCases, type PluginCase } from '../scenarios/plugins.ts';
import { createTokens } from '../tokens.ts';

const CALLERS = 1000;
const ROUNDS = 30;
const BATCHES = 300;
/** Exchanges that come in one turn of the event loop. */
const BATCH = 64;
const UPSTREAM_FIELDS = [
  'Server',
  'nginx/1.22.1',
  'Date',
  'Sat, 21 Nov 2026 12:00:00 GMT',
  'Content-Type',
  'application/octet-stream',
];

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const nothing = (): void => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const connection = {
  listener: { name: 'public', scheme: 'http', maxBodyBytes: 1024 * 1024 },
} as unknown as Connection;
const peer = {
  ip: '127.0.0.1',
  address: '127.0.0.1',
  port: 1,
  protocol: 'http/1.1',
  tls: undefined,
} as const;
const snapshot = {
  consumers: createConsumerDirectory(
    CONSUMERS.map(({ name, groups, apiKeys }) => ({
      name,
      groups,
      apiKeyHashes: apiKeys.map(({ hash }) => hash.slice('sha256:'.length)),
      jwt: undefined,
    })),
  ),
} as unknown as Snapshot;
const PLAIN_FIELDS = FIELDS.flatMap((line) => line.split(': ', 2));

function createChain({ plugins }: PluginCase, configDir: string): HookChain {
  const environment: PluginEnvironment = {
    catalogue: standardPlugins,
    log,
    registry: new Registry(),
    counters: createMemoryCounters({ clock }),
    clock,
    random: Math.random,
    fetchJson: () => Promise.reject(new Error('nothing is fetched here')),
    configDir,
  };
  const ajv = new Ajv({ useDefaults: true, strict: false });
  const entries = plugins.flatMap((one) =>
    Object.entries(one).map(([name, given]) => {
      const config = structuredClone(given);
      ajv.validate(standardPlugins.get(name)!.config, config);
      return { name, config: config as Record<string, unknown> };
    }),
  );
  return createHookChain(entries.map((entry) => createPlugin(entry, 'all', environment)));
}

function createExchange(token: string): GatewayExchange {
  const headers = [...PLAIN_FIELDS, 'Authorization', token];
  const intake = {
    connection,
    method: 'GET',
    target: '/items/42',
    authority: 'localhost',
    headers,
    body: undefined,
    upgrade: undefined,
    expectContinue: false,
  };
  const exchange = new GatewayExchange(
    toRequestId('bench'),
    intake,
    {} as Downstream,
    snapshot,
    {} as Provenance,
    peer,
    0,
    nothing,
  );
  return exchange;
}

function answer(exchange: GatewayExchange, { onResponse }: HookChain): void {
  exchange.response.headers.raw = [...UPSTREAM_FIELDS];
  void runAnswerHooks(exchange, 'onResponse', onResponse);
}

async function serveBatch(
  chain: HookChain,
  tokens: readonly string[],
  from: number,
): Promise<void> {
  const waiting: Promise<unknown>[] = [];
  for (let i = 0; i < BATCH; i++) {
    const exchange = createExchange(tokens[(from + i) % tokens.length]!);
    const result = runRequestHooks(exchange, chain.onRequest);
    if (result instanceof Promise) {
      waiting.push(
        result.then((late) => {
          if (late !== undefined) throw new Error(`refused: ${JSON.stringify(late)}`);
          answer(exchange, chain);
        }),
      );
    } else if (result !== undefined) throw new Error(`refused: ${JSON.stringify(result)}`);
    else answer(exchange, chain);
  }
  if (waiting.length > 0) await Promise.all(waiting);
}

/** Nanoseconds of CPU per exchange. */
async function measure(chain: HookChain, tokens: readonly string[]): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < BATCHES; i++) {
    await serveBatch(chain, tokens, i * BATCH);
    // What is armed for the end of a turn belongs to it.
    await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (BATCHES * BATCH);
}

const directory = await mkdtemp(join(tmpdir(), 'meshgate-hooks-'));
try {
  const set = await createTokens(directory, CALLERS);
  const tokens = set.tokens.map((token) => `Bearer ${token}`);
  const wanted = process.argv.slice(2);
  const cases = toPluginCases(set).filter(
    ({ label, bodyBytes }) =>
      bodyBytes === undefined &&
      (wanted.length === 0 || wanted.includes(label) || label === 'no plugin'),
  );
  const chains = cases.map((one) => createChain(one, directory));
  const best = cases.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, chain] of chains.entries()) {
      best[i] = Math.min(best[i]!, await measure(chain, tokens));
    }
  }
  for (const [i, { label, against }] of cases.entries()) {
    const plain = best[cases.findIndex((one) => one.label === against)];
    const added = plain === undefined ? '' : `${(best[i]! - plain).toFixed(0).padStart(6)} added`;
    console.log(`${label.padEnd(24)} ${best[i]!.toFixed(0).padStart(6)} ns ${added}`);
  }
} finally {
  await rm(directory, { recursive: true });
}
