/** What each built-in plugin costs a request, alone on its route. */
import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare, type Contestant, type Series } from '../compare.ts';
import type { PluginWork, Work } from '../peers/peer.ts';
import type { Probe } from '../probe.ts';
import { median, medianRatio } from '../statistics.ts';
import { createTokens, type TokenSet } from '../tokens.ts';
import type { Scenario, ScenarioResult } from './scenario.ts';

const CALLERS = 1000;
const NEVER_REACHED = 1_000_000_000;
const PATH = '/items/42';
const KEY = 'bench-key-of-a-caller';
const KEY_FIELD = `X-Api-Key: ${KEY}`;
const ORIGIN_FIELD = 'Origin: https://app.bench.test';
/** A browser's. Every request has them all, so that one gateway without plugins is the measure of all. */
export const FIELDS = [
  KEY_FIELD,
  ORIGIN_FIELD,
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
];
const BODY_BYTES = 1024;
export const CONSUMERS = [
  {
    name: 'acme',
    groups: ['partners'],
    apiKeys: [{ hash: `sha256:${hash('sha256', KEY, 'hex')}` }],
  },
];

/** A gateway with plugins, and the one that it is held against. */
export interface PluginCase {
  readonly label: string;
  readonly plugins: PluginWork['plugins'];
  /** That it does its work. */
  readonly probes: readonly Probe[];
  /** Of another case; undefined: it is held against nothing. */
  readonly against?: string;
  readonly bodyBytes?: number;
}

const PLAIN = 'no plugin';
const PLAIN_WITH_BODY = 'no plugin, with a body';

export const plugins: Scenario = {
  name: 'plugins',
  summary: `GET of 1 KB over 64 kept connections, by one route with one plugin, and by the same gateway without. Every request has an RS256 token of 1,000, an API key, an Origin and four more fields, whether they are looked at or not. \`acl\`, which needs to know the caller, stands behind \`api-key\` and is held against it; \`body-limit\` is measured with a POST of ${BODY_BYTES / 1024} KB. Limits are counted in memory.`,

  async run(context) {
    const set = await createTokens(context.directory, CALLERS);
    const file = join(context.directory, 'plugin-tokens');
    await writeFile(file, set.tokens.map((token) => `${PATH}\t${token}\n`).join(''));
    const cases = toPluginCases(set);
    const result = await compare(context, {
      contestants: cases.map((one) => toContestant(one, file)),
      baselines: [],
    });
    return toPluginResult(cases, result);
  },
};

function toContestant(
  { label, plugins: own, probes, bodyBytes }: PluginCase,
  file: string,
): Contestant {
  const work: Work = {
    routes: 1,
    tls: false,
    body: 'small',
    plugins: { plugins: own, consumers: CONSUMERS },
  };
  return {
    label,
    peer: 'meshgate',
    work,
    fields: FIELDS,
    requests: { file, order: 'cycle', bodyBytes },
    probes,
  };
}

export function toPluginCases({ tokens, bad, work }: TokenSet): PluginCase[] {
  const { issuer, audience, jwksFile } = work;
  const key = { path: PATH, fields: [KEY_FIELD] };
  const fromSite = { path: PATH, fields: [ORIGIN_FIELD] };
  return [
    { label: PLAIN, plugins: [], probes: [{ path: PATH }] },
    {
      label: 'jwt',
      plugins: [{ jwt: { issuer, audience, jwks: jwksFile, algorithms: ['RS256'] } }],
      against: PLAIN,
      probes: [
        { path: PATH, status: 401, shows: 'a request without a token' },
        { path: PATH, token: bad.signature, status: 401, shows: 'a token of a foreign key' },
        { path: PATH, token: tokens[0]!, shows: 'a good token' },
      ],
    },
    {
      label: 'api-key',
      plugins: [{ 'api-key': {} }],
      against: PLAIN,
      probes: [{ path: PATH, status: 401, shows: 'a request without a key' }, key],
    },
    {
      label: 'acl',
      plugins: [{ 'api-key': {} }, { acl: { allow: { groups: ['partners'] } } }],
      against: 'api-key',
      probes: [{ path: PATH, status: 401, shows: 'a request without a key' }, key],
    },
    {
      label: 'rate-limit',
      plugins: [{ 'rate-limit': { limit: NEVER_REACHED, window: '1d', by: 'ip' } }],
      against: PLAIN,
      probes: [{ path: PATH, answers: { name: 'ratelimit', value: /;r=\d+/ } }],
    },
    {
      label: 'cors',
      plugins: [{ cors: { origins: ['https://app.bench.test', 'https://*.example.test'] } }],
      against: PLAIN,
      probes: [
        { ...fromSite, answers: { name: 'access-control-allow-origin', value: /^https:\/\/app/ } },
      ],
    },
    {
      label: 'headers',
      plugins: [
        {
          headers: {
            request: { set: { 'X-Gateway': 'bench' }, remove: ['X-Internal'] },
            response: { set: { 'X-Frame-Options': 'DENY' }, remove: ['Server'] },
          },
        },
      ],
      against: PLAIN,
      probes: [{ path: PATH, answers: { name: 'x-frame-options', value: /^DENY$/ } }],
    },
    {
      label: 'ip-filter',
      plugins: [{ 'ip-filter': { allow: ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32'] } }],
      against: PLAIN,
      probes: [
        { path: PATH },
        { path: PATH, from: '127.0.0.2', status: 403, shows: 'a foreign address' },
      ],
    },
    {
      label: PLAIN_WITH_BODY,
      plugins: [],
      bodyBytes: BODY_BYTES,
      probes: [{ path: PATH, bodyBytes: BODY_BYTES }],
    },
    {
      label: 'body-limit',
      plugins: [{ 'body-limit': { max: '1KiB' } }],
      against: PLAIN_WITH_BODY,
      bodyBytes: BODY_BYTES,
      probes: [
        { path: PATH, bodyBytes: BODY_BYTES },
        { path: PATH, bodyBytes: BODY_BYTES + 1, status: 413, shows: 'a body over the limit' },
      ],
    },
  ];
}

/** `measured`: of `compare`, whose data are the series of the cases. */
export function toPluginResult(
  cases: readonly PluginCase[],
  measured: ScenarioResult,
): ScenarioResult {
  const series = measured.data as readonly Series[];
  const roundsOf = (label: string | undefined) =>
    series.find((one) => one.label === label)?.rounds ?? [];
  const rows = cases.map(({ label, against }) => {
    const own = roundsOf(label);
    const plain = roundsOf(against);
    const cpuUs = own.map((round) => round.cpuUs);
    const plainCpuUs = plain.map((round) => round.cpuUs);
    const cells = [
      label,
      median(own.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0),
      (median(own.map(({ p50Us }) => p50Us)) / 1000).toFixed(2),
      (median(own.map(({ p99Us }) => p99Us)) / 1000).toFixed(2),
      median(cpuUs).toFixed(1),
    ];
    if (against === undefined) return [...cells, '', '', ''];
    const addedUs = cpuUs.map((cost, round) => cost - plainCpuUs[round]!);
    const span = `${toSigned(Math.min(...addedUs))} to ${toSigned(Math.max(...addedUs))}`;
    const ratio = medianRatio(cpuUs, plainCpuUs).toFixed(2);
    return [...cells, toSigned(median(addedUs)), span, ratio];
  });
  const titles = ['plugin', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request'];
  return {
    ...measured,
    table:
      series.length === 0
        ? []
        : [[...titles, 'added µs', 'of the rounds', 'CPU ÷ without'], ...rows],
    notes: [
      ...measured.notes,
      'What is added is the median of the differences of the rounds, and beside it stands the least and the greatest of them: where these are of both signs, nothing was found.',
    ],
  };
}

function toSigned(us: number): string {
  return `${us < 0 ? '−' : '+'}${Math.abs(us).toFixed(1)}`;
}
