/** Active checks of one service as nodes share them: which are this node's, and what others found takes effect here. */
import type { Endpoint } from '../endpoint.ts';
import type { HealthHint } from './health-hint.ts';
import type { SharedService } from './shared-service.ts';
import { CheckShare, toCheckCode, toCheckKey, type Checker } from './verdict-share.ts';

export class SharedChecks {
  /** Of this node's way to check; undefined: there are no checks, or nobody shares them. */
  readonly key: string | undefined;
  readonly #service: SharedService;
  #share: CheckShare;
  /** As it was last told. */
  #covers: ReadonlySet<number> = new Set();

  constructor(nodeId: string, service: SharedService) {
    const { checkKey } = service.health;
    this.key = checkKey === undefined ? undefined : toCheckKey(checkKey);
    this.#service = service;
    this.#share = new CheckShare(nodeId, []);
  }

  /** One that is put aside is looked at here too: a check that passes brings it back. */
  isOwn({ id, ejected }: Endpoint): boolean {
    return ejected || this.key === undefined || this.#share.isOwn(id);
  }

  /** What this node tells of its part. */
  get covers(): ReadonlySet<number> {
    return this.#covers;
  }

  /** Now and then: what is covered changes with every endpoint that comes or goes, and nobody is in a hurry to know. */
  updateCovers(): void {
    this.#covers = new Set(this.#checked().map(({ id }) => toCheckCode(id)));
  }

  /** Endpoints of this node's part that fail, with what the checks say. */
  failing(): ReadonlyMap<string, string> {
    const { checks } = this.#service.health;
    const failing = this.#checked().filter(({ healthy }) => !healthy);
    return new Map(failing.map((one) => [one.id, checks?.detailOf(one) ?? '']));
  }

  #checked(): readonly Endpoint[] {
    const { checks } = this.#service.health;
    if (checks === undefined || this.key === undefined) return [];
    return [...checks.checked()].filter(({ id }) => this.#share.isOwn(id));
  }

  /** `checkers` and `hints`: of other nodes that are alive. */
  settle(checkers: readonly Checker[], hints: readonly HealthHint[]): void {
    const { checks } = this.#service.health;
    if (checks === undefined) return;
    this.#divide(checkers.filter(({ key }) => key === this.key));
    if (this.#share.others.length === 0) return;
    const failing = new Map(hints.map((hint) => [hint.from, hint.failing]));
    for (const endpoint of this.#service.endpoints) {
      if (this.isOwn(endpoint)) continue;
      const witness = this.#share.witnessOf(endpoint.id);
      if (witness === undefined) continue;
      const detail = failing.get(witness.from)?.get(endpoint.id);
      const says = `${detail ?? 'it passes'}, says ${witness.node}`;
      checks.adopt(endpoint, detail === undefined, says);
    }
  }

  #divide(others: readonly Checker[]): void {
    const before = this.#share;
    const isSame =
      others.length === before.others.length &&
      others.every((checker, index) => checker === before.others[index]);
    if (!isSame) this.#share = new CheckShare(before.nodeId, others, before);
  }
}
