/** A large value as texts that are short enough to be read between two requests. */

/** One is read in about a millisecond. */
const MAX_CHARACTERS = 64 * 1024;

/** Members of a list or mapping of the value, under its key; or, without a key, the value as a whole. */
export interface JsonPiece {
  readonly key: string | undefined;
  readonly json: string;
}

/** Lists and mappings of a mapping come in pieces, anything else is one. */
export function* toJsonPieces(value: unknown): Generator<JsonPiece> {
  if (!isCollection(value) || Array.isArray(value)) {
    yield { key: undefined, json: JSON.stringify(value) };
    return;
  }
  yield { key: undefined, json: '{}' };
  for (const [key, member] of Object.entries(value)) {
    if (Array.isArray(member)) yield* toPieces(key, member, (one) => JSON.stringify(one), '[]');
    else if (isCollection(member)) {
      const toText = ([name, one]: [string, unknown]): string =>
        `${JSON.stringify(name)}:${JSON.stringify(one)}`;
      yield* toPieces(key, Object.entries(member), toText, '{}');
    } else yield { key, json: JSON.stringify(member) };
  }
}

function* toPieces<Member>(
  key: string,
  members: readonly Member[],
  toText: (member: Member) => string,
  brackets: '[]' | '{}',
): Generator<JsonPiece> {
  let json = brackets.slice(0, 1);
  let separator = '';
  for (const member of members) {
    json += separator + toText(member);
    separator = ',';
    if (json.length < MAX_CHARACTERS) continue;
    yield { key, json: json + brackets.slice(1) };
    json = brackets.slice(0, 1);
    separator = '';
  }
  if (separator !== '' || members.length === 0) yield { key, json: json + brackets.slice(1) };
}

/** Puts together what `toJsonPieces` has made. */
export class JsonAssembly {
  #value: unknown;

  add({ key, json }: JsonPiece): void {
    const part: unknown = JSON.parse(json);
    if (key === undefined) {
      this.#value = part;
      return;
    }
    const whole = this.#value as Record<string, unknown>;
    const known = Object.hasOwn(whole, key) ? whole[key] : undefined;
    if (Array.isArray(known)) known.push(...(part as unknown[]));
    else if (isCollection(known)) {
      for (const [name, member] of Object.entries(part as object)) define(known, name, member);
    } else define(whole, key, part);
  }

  get value(): unknown {
    return this.#value;
  }
}

/** Whatever the key, `__proto__` too. */
function define(holder: object, key: string, value: unknown): void {
  if (key !== '__proto__') (holder as Record<string, unknown>)[key] = value;
  else
    Object.defineProperty(holder, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

function isCollection(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
