/** `meshgate token`: who may use the admin API; tokens are made, listed and revoked for all nodes. */
import { parseArgs } from 'node:util';
import { ROLES } from '../admin/access/principal.ts';
import type { CreatedToken, Token } from '../admin/resources/tokens.ts';
import { ADMIN_USAGE, type AdminClient } from './admin-client.ts';
import { AdminFailure } from './admin-failure.ts';
import { misuse, printJson, stalenessNote, withAdmin } from './admin-verb.ts';
import { printTable, toPrintable, type Column } from './table.ts';
import { parseExpiry, parseScope, toScopeText } from './token-options.ts';
import type { Verb, VerbIo, VerbOptions } from './verb.ts';
import { parseArguments } from './verb-arguments.ts';

const JSON_OPTION = { json: { type: 'boolean' } } as const satisfies VerbOptions;
const CREATE_OPTIONS = {
  role: { type: 'string', default: 'viewer', values: ROLES },
  expires: { type: 'string' },
  scope: { type: 'string', multiple: true },
  label: { type: 'string', multiple: true },
  ...JSON_OPTION,
} as const satisfies VerbOptions;

const PATH = 'v1/tokens';

export const token: Verb = {
  name: 'token',
  summary: 'Make, list and revoke tokens of the admin API.',
  usage: `meshgate token create NAME [--role viewer|operator|admin] [--expires DURATION|never]
                      [--scope KIND[=PREFIX,…]]… [--label KIND:KEY=VALUE]… [--json]
meshgate token list [--json]
meshgate token revoke NAME|ID… [--json]

  --role ROLE              viewer (default): reads all but tokens and the audit log; operator: changes the
                           configuration, weights and drains too; admin: all
  --expires DURATION       Such as 12h, 30d; default 90d
  --scope KIND[=PREFIX,…]  Only these services, routes, consumers, plugins or certificates, by the
                           beginnings of their names; of a kind that is not named, none
  --label KIND:KEY=VALUE   Only those of the kind that have this label, for endpoints: metadata
  --json                   Print the tokens

A token is valid on all nodes, and revoked on all at once. create prints its text alone on standard
output: it is shown that once.

${ADMIN_USAGE}
Exit code 0; 1: not done, or not for all; 2: misuse, or a name that several tokens have.

Examples:
  meshgate token create ci --role operator --expires 30d
  MESHGATE_TOKEN=$(meshgate token create dashboards) meshgate services
  meshgate token create shop --role operator --scope services=shop-,cart-
  meshgate token revoke ci`,
  options: {},
  actions: { create: CREATE_OPTIONS, list: JSON_OPTION, revoke: JSON_OPTION },
  async run(argv, io) {
    const [action, ...rest] = argv;
    switch (action) {
      case 'create':
        return create(rest, io);
      case 'list':
        return list(rest, io);
      case 'revoke':
        return revoke(rest, io);
      default:
        return misuse(io, 'token takes create, list or revoke', token.usage);
    }
  },
};

async function create(args: string[], io: VerbIo): Promise<number> {
  const { values, positionals } = parseArguments(args, CREATE_OPTIONS);
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) {
    return misuse(io, 'token create takes one name', token.usage);
  }
  const role = ROLES.find((one) => one === values.role);
  if (role === undefined) {
    return misuse(io, `a role is ${ROLES.join(', ')}, not ${values.role}`, token.usage);
  }
  const expiry = parseExpiry(values.expires);
  if ('fault' in expiry) return misuse(io, expiry.fault, token.usage);
  const scope = parseScope(values.scope, values.label);
  if ('fault' in scope) return misuse(io, scope.fault, token.usage);
  return withAdmin('token create', io, async (client) => {
    const made = await client.post<CreatedToken>(PATH, {
      name,
      role,
      ...expiry,
      ...scope,
    });
    if (values.json === true) {
      printJson(io, made);
      return 0;
    }
    io.stdout.write(`${made.token}\n`);
    const until = made.expires_at === null ? 'never expires' : `expires at ${made.expires_at}`;
    io.stderr.write(
      `token ${made.id} "${made.name}" (${made.role}) ${until}; its text is shown this once\n`,
    );
    return 0;
  });
}

const COLUMNS: readonly Column<Token>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'NAME', of: ({ name }) => name },
  { title: 'ROLE', of: ({ role }) => role },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'EXPIRES', of: ({ expires_at: at }) => at ?? 'never' },
  { title: 'LAST USED', of: ({ last_used_at: at }) => at ?? '-' },
  { title: 'MADE BY', of: ({ created_by: by }) => by },
  { title: 'SCOPE', of: ({ scope }) => toScopeText(scope) },
];

async function list(args: string[], io: VerbIo): Promise<number> {
  const { values } = parseArgs({ args, options: JSON_OPTION });
  return withAdmin('token list', io, async (client) => {
    const { items, stalenessSeconds } = await client.list<Token>(PATH);
    if (values.json === true) printJson(io, items);
    else if (items.length === 0) {
      io.stdout.write('there are no tokens but those in the data directories of nodes\n');
    } else printTable(io, COLUMNS, items);
    const note = stalenessNote(stalenessSeconds);
    if (note !== undefined) io.stderr.write(`${note}\n`);
    return 0;
  });
}

async function revoke(args: string[], io: VerbIo): Promise<number> {
  const { values, positionals } = parseArguments(args, JSON_OPTION);
  if (positionals.length === 0) {
    return misuse(io, 'token revoke takes names or ids', token.usage);
  }
  return withAdmin('token revoke', io, async (client) => {
    const { items } = await client.list<Token>(PATH);
    const meant = [...new Set(positionals)].map((word) => ({
      word,
      found: chooseTokens(items, word),
    }));
    const unclear = meant.find(({ found }) => found.length > 1);
    if (unclear !== undefined) {
      const ids = unclear.found.map(({ id, role }) => `  ${id}  ${role}\n`);
      io.stderr.write(
        `meshgate token revoke: several tokens are named "${unclear.word}"; say which by id:\n${ids.join('')}`,
      );
      return 2;
    }
    return revokeAll(client, io, meant, values.json === true);
  });
}

/** An id means that token, whatever others are named. */
function chooseTokens(tokens: readonly Token[], word: string): readonly Token[] {
  const byId = tokens.filter(({ id }) => id === word);
  return byId.length > 0 ? byId : tokens.filter(({ name }) => name === word);
}

/** One that cannot be is no reason to leave the others. */
async function revokeAll(
  client: AdminClient,
  io: VerbIo,
  meant: readonly { readonly word: string; readonly found: readonly Token[] }[],
  asJson: boolean,
): Promise<number> {
  const done: Token[] = [];
  for (const { word, found } of meant) {
    const [one] = found;
    try {
      if (one === undefined) throw new AdminFailure('there is no such token');
      await client.delete(`${PATH}/${one.id}`);
      done.push(one);
      if (!asJson) io.stdout.write(`${one.name} (${one.id}): revoked\n`);
    } catch (error) {
      if (!(error instanceof AdminFailure)) throw error;
      io.stderr.write(`meshgate token revoke: ${toPrintable(word)}: ${error.message}\n`);
    }
  }
  if (asJson) printJson(io, done);
  return done.length === meant.length ? 0 : 1;
}
