/** What workers that are gone have counted: the node has served it, whoever did. */
import type { Config } from '../../config/config.ts';
import { FamilySum } from './family-sum.ts';
import type { FamilyPart } from './metric-family.ts';

/** Names that are in no configuration any more. */
export interface GoneNames {
  readonly routes: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

export function goneNames(
  before: Pick<Config, 'routes' | 'services'>,
  after: Pick<Config, 'routes' | 'services'>,
): GoneNames {
  return {
    routes: goneAmong(before.routes, after.routes),
    services: goneAmong(before.services, after.services),
  };
}

type Named = readonly { readonly name: string }[];

/** Of two long lists most is the same, and needs no look at its name. */
function goneAmong(before: Named, after: Named): Set<string> {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const namesOf = (entries: Named): Set<string> =>
    new Set(entries.slice(head, entries.length - tail).map(({ name }) => name));
  return namesOf(before).difference(namesOf(after));
}

/** What only rises; a gauge of a process that is gone tells nothing. */
const KEPT: ReadonlySet<string> = new Set(['counter', 'histogram']);

const NAMES = /(?:^|[{,])(route|service)="((?:[^"\\]|\\.)*)"/g;

export class Departed {
  readonly #sums = new Map<string, FamilySum>();

  add(parts: readonly FamilyPart[]): void {
    for (const part of parts) {
      if (!KEPT.has(part.type)) continue;
      const sum = this.#sums.get(part.name) ?? new FamilySum(part);
      this.#sums.set(part.name, sum);
      sum.add(part);
    }
  }

  *parts(): Generator<FamilyPart> {
    for (const sum of this.#sums.values()) yield* sum.toParts();
  }

  /** Their series end with routes and services, as those of workers do. */
  forget({ routes, services }: GoneNames): void {
    if (this.#sums.size === 0 || (routes.size === 0 && services.size === 0)) return;
    const isGone = (series: string): boolean => {
      for (const [, label, text] of series.matchAll(NAMES)) {
        if ((label === 'route' ? routes : services).has(unescape(text!))) return true;
      }
      return false;
    };
    for (const [name, sum] of this.#sums) this.#sums.set(name, sum.without(isGone));
  }
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
