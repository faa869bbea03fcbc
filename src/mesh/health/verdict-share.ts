/** Checks shared out among nodes: who checks an endpoint, and whose word stands for it. */
import type { Json } from '../backplane/backplane.ts';
import { xxHash64 } from '../balancing/xxhash64.ts';
import { ownsCheck } from './check-owner.ts';

/** A node that checks endpoints of a service, and says which. */
export interface Checker {
  /** Whose word it is: the node's name, and that of the record. */
  readonly node: string;
  readonly from: string;
  /** Only who asks in the same way can take its word. */
  readonly key: string;
  /** By `toCheckCode`. */
  readonly covers: ReadonlySet<number>;
}

const CODE_BYTES = 6;

/** 48 bits stand for an endpoint's id: two of 10,000 have the same once in five million times. */
export function toCheckCode(endpointId: string): number {
  return xxHash64(endpointId) % 2 ** (CODE_BYTES * 8);
}

export function toCheckKey(text: string): string {
  return xxHash64(text).toString(36);
}

/** 8 bytes an endpoint; undefined where there is none. */
export function toCheckerValue({ node, key, covers }: Omit<Checker, 'from'>): Json | undefined {
  if (covers.size === 0) return undefined;
  const bytes = Buffer.alloc(covers.size * CODE_BYTES);
  let at = 0;
  for (const code of [...covers].toSorted((a, b) => a - b)) {
    at = bytes.writeUIntBE(code, at, CODE_BYTES);
  }
  return { node, key, covers: bytes.toString('base64') };
}

/** Undefined for what is none. */
export function parseChecker(from: string, value: unknown): Checker | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { node, key, covers } = value as Record<string, unknown>;
  if (typeof node !== 'string' || typeof key !== 'string' || typeof covers !== 'string') {
    return undefined;
  }
  const bytes = Buffer.from(covers, 'base64');
  const codes = new Set<number>();
  for (let at = 0; at + CODE_BYTES <= bytes.length; at += CODE_BYTES) {
    codes.add(bytes.readUIntBE(at, CODE_BYTES));
  }
  return { node, from, key, covers: codes };
}

/** Who checks an endpoint, of those that cover it. */
interface Division {
  /** Names of those that do, for comparison. */
  readonly covering: string;
  readonly isOwn: boolean;
  readonly witness: string | undefined;
}

/**
 * One node's part in the checks of a service, beside these others. Rendezvous hashing ranks the
 * nodes for each endpoint, and a node leaves to those above it what they say they check. So
 * nothing goes unchecked while nodes come and go, and an endpoint that others have not found yet
 * is checked by who has. What is worked out is kept: the same object is to be asked until the
 * others change.
 */
export class CheckShare {
  readonly nodeId: string;
  readonly others: readonly Checker[];
  readonly #codes: Map<string, number>;
  /** Of the one before. */
  readonly #known: ReadonlyMap<string, Division>;
  readonly #divisions = new Map<string, Division>();

  /** `others`: alive, and asking in the same way. `before`: what its divisions tell is not worked out again. */
  constructor(nodeId: string, others: readonly Checker[], before?: CheckShare) {
    this.nodeId = nodeId;
    this.others = others;
    this.#codes = before === undefined ? new Map() : before.#codes;
    this.#known = before === undefined ? new Map() : before.#divisions;
  }

  /** Whether this node checks it: no other that comes before it says that he does. */
  isOwn(endpointId: string): boolean {
    return this.#divisionOf(endpointId).isOwn;
  }

  /** The other whose verdict stands; undefined where none checks it. */
  witnessOf(endpointId: string): Checker | undefined {
    const { witness } = this.#divisionOf(endpointId);
    return witness === undefined ? undefined : this.others.find(({ from }) => from === witness);
  }

  #divisionOf(endpointId: string): Division {
    let division = this.#divisions.get(endpointId);
    if (division === undefined) {
      division = this.#divide(endpointId);
      this.#divisions.set(endpointId, division);
    }
    return division;
  }

  #divide(endpointId: string): Division {
    const code = this.#codeOf(endpointId);
    const covering = this.others.filter(({ covers }) => covers.has(code));
    const text = covering.map(({ from }) => from).join(' ');
    const known = this.#known.get(endpointId);
    if (known?.covering === text) return known;
    const names = covering.map(({ node }) => node);
    const isOwn = ownsCheck(this.nodeId, [this.nodeId, ...names], endpointId);
    const witness = covering.find(({ node }) => ownsCheck(node, names, endpointId));
    return { covering: text, isOwn, witness: witness?.from };
  }

  #codeOf(endpointId: string): number {
    let code = this.#codes.get(endpointId);
    if (code === undefined) this.#codes.set(endpointId, (code = toCheckCode(endpointId)));
    return code;
  }
}
