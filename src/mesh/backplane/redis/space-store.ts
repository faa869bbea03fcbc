/** One space in Redis, as plain questions and answers. */
import { randomBytes } from 'node:crypto';
import {
  RECORD_KINDS,
  type ChangeOutcome,
  type Condition,
  type ExpireRules,
  type Json,
  type Lease,
  type Mutation,
  type RecordKind,
  type Renewal,
  type Report,
  type StoredRecord,
} from '../backplane.ts';
import { parseDelta, type Delta, type FullRead } from '../delta.ts';
import { assertId, assertMutations, assertOwner } from '../names.ts';
import type { RedisConnection } from './connection.ts';
import type { SpaceKeys } from './keys.ts';
import { parseJson, parseRecord, toOwnerText } from './record-text.ts';
import { LOG_LENGTH } from './scripts.ts';

export interface Position {
  /** Empty for a space that nobody wrote to. */
  readonly epoch: string;
  readonly revision: number;
}

function toConditionText(when: Condition | undefined): string {
  if (when === undefined) return '';
  if ('absent' in when) return 'absent';
  if ('generation' in when) return `generation ${when.generation}`;
  return `notNewerThan ${when.notNewerThan}`;
}

export class SpaceStore {
  readonly #connection: RedisConnection;
  readonly #keys: SpaceKeys;
  /** A publication was refused: told once, since it will be each time. */
  readonly #onUnpublished: () => void;

  constructor(connection: RedisConnection, keys: SpaceKeys, onUnpublished: () => void) {
    this.#connection = connection;
    this.#keys = keys;
    this.#onUnpublished = onUnpublished;
  }

  async change(mutations: readonly Mutation[]): Promise<ChangeOutcome> {
    assertMutations(mutations);
    const { epoch, revision, log } = this.#keys;
    const keys = [epoch, revision, log];
    const args: (string | number)[] = this.#changingArgs();
    for (const mutation of mutations) {
      const { type, kind, id, owner, when } = mutation;
      keys.push(this.#keys.records(kind), this.#keys.leases(kind));
      const value = type === 'put' ? JSON.stringify(mutation.value) : '';
      const leaseMs = type === 'put' ? (mutation.leaseMs ?? 0) : 0;
      args.push(type, kind, id, toOwnerText(owner), value, leaseMs, toConditionText(when));
    }
    const reply = (await this.#connection.run((client) =>
      client.meshgateChange(keys.length, ...keys, ...args),
    )) as [number, string, string, number, ...string[]];
    if (reply[0] === 0) {
      return { applied: false, mutation: Number(reply[1]), generation: Number(reply[2]) };
    }
    const [, inEpoch, atRevision, published, ...generations] = reply;
    if (published === 0) this.#onUnpublished();
    return {
      applied: true,
      epoch: inEpoch,
      revision: Number(atRevision),
      generations: generations.map(Number),
    };
  }

  async renew(kind: RecordKind, id: string, { owner, leaseMs }: Lease): Promise<Renewal> {
    assertId(id);
    assertOwner(owner);
    const { records, leases } = this.#keys;
    const reply = await this.#connection.run((client) =>
      client.meshgateRenew(records(kind), leases(kind), id, toOwnerText(owner), leaseMs),
    );
    return reply as Renewal;
  }

  async expire(
    kind: RecordKind,
    { maxShare, restMs, forget = false }: ExpireRules,
  ): Promise<readonly string[]> {
    const { epoch, revision, log, records, leases } = this.#keys;
    const keys = [epoch, revision, log, records(kind), leases(kind)];
    if (forget) keys.push(...RECORD_KINDS.map(records));
    const args = [...this.#changingArgs(), kind, maxShare, restMs];
    const reply = await this.#connection.run((client) =>
      client.meshgateExpire(keys.length, ...keys, ...args),
    );
    return reply as string[];
  }

  async readAll(): Promise<FullRead> {
    const keys = [this.#keys.epoch, this.#keys.revision, ...RECORD_KINDS.map(this.#keys.records)];
    const [epoch, revision, ...kinds] = (await this.#connection.run((client) =>
      client.meshgateRead(keys.length, ...keys),
    )) as [string, string, ...string[][]];
    const records: (readonly [RecordKind, StoredRecord])[] = [];
    for (const [index, kind] of RECORD_KINDS.entries()) {
      for (const [id, text] of pairs(kinds[index] ?? [])) {
        const record = parseRecord(id, text);
        if (record !== undefined) records.push([kind, record]);
      }
    }
    return { epoch, revision: Number(revision), records };
  }

  async position(): Promise<Position> {
    const [epoch, revision] = await this.#connection.run((client) =>
      client.mget(this.#keys.epoch, this.#keys.revision),
    );
    return { epoch: epoch ?? '', revision: Number(revision ?? 0) };
  }

  /** The changes after a revision, oldest first, as far as the log still has them. */
  async changesAfter(revision: number): Promise<Delta[]> {
    const entries = await this.#connection.run((client) =>
      client.xrange(this.#keys.log, `${revision + 1}-0`, '+', 'COUNT', LOG_LENGTH),
    );
    return entries.flatMap(([, [, text]]) => parseDelta(text ?? '') ?? []);
  }

  async report(id: string, value: Json, leaseMs: number): Promise<void> {
    assertId(id);
    const { reports, reportEnds } = this.#keys;
    await this.#connection.run((client) =>
      client.meshgateReport(reports, reportEnds, id, JSON.stringify(value), leaseMs),
    );
  }

  async reports(): Promise<readonly Report[]> {
    const { reports, reportEnds } = this.#keys;
    const reply = await this.#connection.run((client) =>
      client.meshgateReports(reports, reportEnds),
    );
    const found: Report[] = [];
    for (const [id, text] of pairs(reply as string[])) {
      const value = parseJson(text);
      if (value !== undefined) found.push({ id, value });
    }
    return found;
  }

  #changingArgs(): (string | number)[] {
    const nonce = randomBytes(6).toString('hex');
    return [nonce, this.#connection.publishCommand, this.#keys.channel, LOG_LENGTH];
  }
}

function* pairs(flat: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index + 1 < flat.length; index += 2) yield [flat[index]!, flat[index + 1]!];
}
