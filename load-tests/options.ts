/** The command line of the bench. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly rounds: number;
  /** Of one measurement. */
  readonly seconds: number;
  /** Before a proxy's first measurement. */
  readonly warmUpSeconds: number;
  /** Before each measurement. */
  readonly settleSeconds: number;
  /** Over which memory is looked at, after a quarter as many to warm up. */
  readonly memoryRequests: number;
  /** Names of scenarios; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Names of peers; undefined: all. */
  readonly peers: readonly string[] | undefined;
  /** Whether processors that have nothing to do are kept from halting. */
  readonly awake: boolean;
  /** Undefined: no file is written. */
  readonly json: string | undefined;
  /** Whether the tables of the documentation are written anew. */
  readonly docs: boolean;
}

export const USAGE = `npm run bench -- [options]
  --rounds N        measurements of each proxy (5)
  --seconds S       length of a measurement (8)
  --only a,b        only these scenarios, or groups of them: edge, changes, scale, mesh
  --peers a,b       only these proxies
  --json FILE       where the results go (load-tests/results/latest.json)
  --awake           keep the processors of a virtual machine from halting meanwhile (root; see README.md)
  --no-docs         leave docs/performance.md as it is
  --quick           2 rounds of 2 seconds, to try it out; nothing is written unless --json is given
`;

const RESULTS = 'load-tests/results/latest.json';

export interface KnownNames {
  readonly scenarios: readonly string[];
  readonly peers: readonly string[];
  /** Names of scenarios, by the name of their group. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

/** Undefined: show the usage. Throws a `TypeError` on what it does not understand. */
export function parseBenchOptions(
  args: readonly string[],
  known: KnownNames,
): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'string' },
      docs: { type: 'boolean' },
      awake: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    rounds: parseCount('--rounds', values.rounds) ?? (quick ? 2 : 5),
    seconds: parseCount('--seconds', values.seconds) ?? (quick ? 2 : 8),
    warmUpSeconds: quick ? 1 : 4,
    settleSeconds: 1,
    memoryRequests: quick ? 100_000 : 1_000_000,
    only: parseNames('--only', values.only, known.scenarios, known.groups),
    peers: parseNames('--peers', values.peers, known.peers),
    json: values.json ?? (quick ? undefined : RESULTS),
    docs: values.docs ?? !quick,
    awake: values.awake,
  };
}

function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new TypeError(`${option} takes a whole number`);
  return Number(text);
}

function parseNames(
  option: string,
  text: string | undefined,
  known: readonly string[],
  groups: KnownNames['groups'] = {},
): readonly string[] | undefined {
  const names = text
    ?.split(',')
    .flatMap((name) => (Object.hasOwn(groups, name) ? groups[name]! : [name]));
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown === undefined) return names && [...new Set(names)];
  const all = [...known, ...Object.keys(groups)];
  throw new TypeError(`${option}: there is no ${JSON.stringify(unknown)}, but ${all.join(', ')}`);
}
