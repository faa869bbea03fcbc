/** The two small applications of these tests, in processes of their own. */
import { join } from 'node:path';
import { Program } from '../process/gateway-process.ts';
import { until } from '../gateway-fixture.ts';

const APPS = join(import.meta.dirname, 'apps');

export function run(
  app: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  return new Program(args, { command: [process.execPath, join(APPS, app)], env });
}

/** Resolves once it is registered. */
export async function startOrders(name: string, redisPort: number): Promise<Program> {
  const program = run('orders.ts', [name, String(redisPort)]);
  await program.said('stdout', /^registered /m);
  return program;
}

export interface Tally {
  /** By the instance's name. */
  readonly answered: Readonly<Record<string, number>>;
  /** Method and code of each call that failed. */
  readonly failures: readonly string[];
  readonly status: { readonly connected: boolean };
}

export class Shop {
  readonly program: Program;
  readonly #port: number;

  constructor(program: Program, port: number) {
    this.program = program;
    this.#port = port;
  }

  async tally(): Promise<Tally> {
    return (await (await fetch(`http://127.0.0.1:${this.#port}/`)).json()) as Tally;
  }

  /** Resolves once each of them, and nobody else, has answered so many more. */
  async more(count: number, ...names: readonly string[]): Promise<Tally> {
    const { answered: before } = await this.tally();
    return until(async () => {
      const tally = await this.tally();
      const enough = names.every(
        (name) => (tally.answered[name] ?? 0) >= (before[name] ?? 0) + count,
      );
      return enough ? tally : undefined;
    });
  }
}

/** Resolves once it calls. */
export async function startShop(redisPort: number, dataDir?: string): Promise<Shop> {
  const program = run('shop.ts', [String(redisPort), ...(dataDir === undefined ? [] : [dataDir])]);
  const [, port] = await program.said('stdout', /^calling (\d+)/m);
  return new Shop(program, Number(port));
}
