/** What is wrong in a `jwt` configuration that its schema cannot say. */
import { durationMs, type ConfigFile, type ConfigIssue } from '../sdk/plugin.ts';
import { isHmac, minSecretBytes } from './algorithms.ts';
import { isReservedHeader } from './claim-headers.ts';
import { parseKeyLocation } from './key-location.ts';
import { parseKeySet } from './key-set.ts';
import type { JwtConfig } from './schema.ts';

const MAX_LEEWAY_MS = 60_000;

export function checkJwt(config: JwtConfig): ConfigIssue[] {
  return [
    ...checkLeeway(config),
    ...checkKeys(config),
    ...checkSecret(config),
    ...checkAlgorithms(config),
    ...checkHeaders(config),
  ];
}

/** The key set, where it is a file. */
export function filesOfJwt({ jwks }: JwtConfig): ConfigFile[] {
  if (jwks === undefined) return [];
  const location = parseKeyLocation(jwks);
  if (location.kind !== 'file') return [];
  const path = typeof jwks === 'string' ? 'jwks' : 'jwks.file';
  return [{ path, file: location.path, check: checkKeyFile }];
}

function checkKeyFile(text: string): string | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's own words would show some of the content.
    return 'is not JSON';
  }
  try {
    const { keys, refused } = parseKeySet(document);
    if (keys.length > 0) return undefined;
    return `holds no key to verify with${refused.length === 0 ? '' : `: ${refused.join('; ')}`}`;
  } catch (error) {
    return `is ${(error as Error).message}`;
  }
}

function checkLeeway({ leeway }: JwtConfig): ConfigIssue[] {
  return durationMs(leeway) <= MAX_LEEWAY_MS
    ? []
    : [
        {
          path: 'leeway',
          message: 'is too long; clocks that differ by more than 60s need mending',
        },
      ];
}

function checkKeys({ jwks, secret, allowPrivateAddresses }: JwtConfig): ConfigIssue[] {
  if (jwks === undefined) {
    return secret === undefined
      ? [{ path: '', message: 'has nothing to verify with; give `jwks` or `secret`' }]
      : [];
  }
  const location = parseKeyLocation(jwks);
  switch (location.kind) {
    case 'inline':
      return checkInlineKeys(location.keys);
    case 'url':
      return checkUrl(location.url, allowPrivateAddresses);
    default:
      return [];
  }
}

function checkInlineKeys(keys: readonly unknown[]): ConfigIssue[] {
  try {
    return parseKeySet({ keys }).refused.map((reason) => ({
      path: `jwks.${reason.slice(0, reason.indexOf(':'))}`,
      message: `is not usable: ${reason.slice(reason.indexOf(':') + 2)}`,
    }));
  } catch (error) {
    return [{ path: 'jwks', message: `is ${(error as Error).message}` }];
  }
}

function checkUrl(url: string, allowPrivateAddresses: boolean): ConfigIssue[] {
  const parsed = URL.parse(url);
  if (parsed === null || !['https:', 'http:'].includes(parsed.protocol)) {
    return [{ path: 'jwks', message: 'is no http or https URL, and no path of a file' }];
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return [
      { path: 'jwks', message: 'carries a password, which would end up in logs; take it out' },
    ];
  }
  // Who can change the answer on its way can sign tokens.
  if (parsed.protocol === 'http:' && !allowPrivateAddresses) {
    return [
      {
        path: 'jwks',
        message: 'is not safe over http; use https, or allowPrivateAddresses in a private network',
      },
    ];
  }
  return [];
}

function checkSecret({ secret }: JwtConfig): ConfigIssue[] {
  const least = minSecretBytes('HS256');
  return secret === undefined || Buffer.byteLength(secret) >= least
    ? []
    : [
        {
          path: 'secret',
          message: `is shorter than ${least} bytes, and could be guessed from one token`,
        },
      ];
}

function checkAlgorithms({ algorithms, jwks, secret }: JwtConfig): ConfigIssue[] {
  const secretBytes = Buffer.byteLength(secret ?? '');
  const issues: ConfigIssue[] = [];
  for (const [index, algorithm] of (algorithms ?? []).entries()) {
    const path = `algorithms[${index}]`;
    if (!isHmac(algorithm)) {
      if (jwks === undefined) issues.push({ path, message: `${algorithm} needs \`jwks\`` });
    } else if (secret === undefined) {
      issues.push({ path, message: `${algorithm} needs \`secret\`` });
    } else if (secretBytes < minSecretBytes(algorithm)) {
      issues.push({
        path,
        message: `${algorithm} needs a secret of ${minSecretBytes(algorithm)} bytes or more`,
      });
    }
  }
  return issues;
}

function checkHeaders({ claimsToHeaders, from }: JwtConfig): ConfigIssue[] {
  const credential = 'header' in from ? from.header.toLowerCase() : undefined;
  const seen = new Set<string>();
  const issues: ConfigIssue[] = [];
  for (const [claim, name] of Object.entries(claimsToHeaders ?? {})) {
    const path = `claimsToHeaders.${claim}`;
    const lower = name.toLowerCase().replaceAll('_', '-');
    if (isReservedHeader(name))
      issues.push({ path, message: `${name} has a meaning of its own; use another field` });
    else if (name.toLowerCase() === credential)
      issues.push({ path, message: `${name} carries the token; use another field` });
    else if (seen.has(lower))
      issues.push({ path, message: `${name} is there for another claim already` });
    seen.add(lower);
  }
  return issues;
}
