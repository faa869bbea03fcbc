/** `jwt`: knows the caller by a signed token (RFC 7519, RFC 6750). */
import { createSecretKey } from 'node:crypto';
import {
  AMBIGUOUS,
  definePlugin,
  findCredential,
  removeCredential,
  durationMs,
  type Exchange,
  type HookResult,
  type PluginContext,
  type PluginHooks,
} from '../sdk/plugin.ts';
import { acceptedAlgorithms } from './algorithms.ts';
import { toBearerToken } from './bearer.ts';
import { createHeaderGuard } from './claim-headers.ts';
import { MAX_TOKEN_LENGTH } from './compact-form.ts';
import { checkJwt, filesOfJwt } from './config-check.ts';
import { leaseKeys } from './key-lease.ts';
import type { KeySource } from './key-source.ts';
import { createRefusals } from './refusal.ts';
import { jwtConfig, type JwtConfig } from './schema.ts';
import { digestOf, TokenCache } from './token-cache.ts';
import { TokenVerifier } from './token-verifier.ts';
import { toVerifiedToken, type VerifiedToken } from './verified-token.ts';

export const jwt = definePlugin({
  name: 'jwt',
  config: jwtConfig,
  stage: 'authenticate',
  // A request may wait for the issuer's keys, which takes at most 5 s, and is then answered by the plugin.
  deadlineMs: 10_000,
  check: checkJwt,
  files: filesOfJwt,
  credentials: ({ from }) => [from],
  create: createJwt,
});

function createJwt(config: JwtConfig, context: PluginContext): PluginHooks {
  const { clock } = context;
  const { from, optional, requireConsumer, forward } = config;
  const { source, release } = leaseKeys(config, context);
  const refusals = createRefusals(config.realm);
  const cache = new TokenCache(config.cacheSize);
  const verifier = createVerifier(config, source, context);
  const claimHeaders = Object.entries(config.claimsToHeaders ?? {}).map(([claim, name]) => ({
    claim,
    name,
  }));
  const keepOutHeaders = claimHeaders.length === 0 ? undefined : createHeaderGuard(claimHeaders);
  const isBearer = 'header' in from;
  const schemeRequired = isBearer && from.header.toLowerCase() === 'authorization';
  const tokenOptions = {
    requiredClaims: config.requiredClaims,
    consumerClaim: config.consumerClaim,
    claimHeaders,
    leewayMs: durationMs(config.leeway),
  };
  const verifications = context.metrics.counter(
    'verifications_total',
    'Tokens that were not in the cache, by the result of verifying them.',
    ['result'],
  );
  /** By digest: requests that bring the same new token at once wait for one verification. */
  const underWay = new Map<string, ReturnType<typeof verify>>();

  function onRequest(exchange: Exchange): HookResult | Promise<HookResult> {
    keepOutHeaders?.(exchange.request.headers);
    const credential = findCredential(exchange.request, from);
    if (credential === AMBIGUOUS) return refusals.several;
    const token = credential === undefined || !isBearer ? credential : toToken(credential);
    if (token === undefined) return optional ? undefined : refusals.missing;
    if (token.length > MAX_TOKEN_LENGTH) return refusals.malformed;

    const digest = digestOf(token);
    const known = source.isCurrent() ? cache.get(digest, source.version) : undefined;
    if (known === undefined) return verifyAndAdmit(exchange, token, digest);
    const now = clock.now();
    if (now >= known.validUntilMs) {
      cache.delete(digest);
      return refusals.expired;
    }
    return now < known.validFromMs ? refusals.notYetValid : admit(exchange, known);
  }

  function toToken(credential: string): string | undefined {
    const token = toBearerToken(credential);
    return token === undefined && !schemeRequired ? credential : token;
  }

  async function verifyAndAdmit(
    exchange: Exchange,
    token: string,
    digest: string,
  ): Promise<HookResult> {
    let verification = underWay.get(digest);
    if (verification === undefined) {
      verification = verify(token, digest).finally(() => underWay.delete(digest));
      underWay.set(digest, verification);
    }
    const verified = await verification;
    return typeof verified === 'string' ? refusals[verified] : admit(exchange, verified);
  }

  async function verify(token: string, digest: string) {
    const verification = await verifier.verify(token);
    if ('refusal' in verification) {
      verifications.inc({ result: 'refused' });
      return verification.refusal;
    }
    verifications.inc({ result: 'accepted' });
    const verified = toVerifiedToken(verification.payload, token.length, tokenOptions);
    cache.set(digest, verified, verification.keysVersion);
    return verified;
  }

  function admit(exchange: Exchange, token: VerifiedToken): HookResult {
    if (!token.sufficient) return refusals.insufficient;
    const consumer =
      token.issuer === undefined || token.subject === undefined
        ? undefined
        : exchange.consumers.byJwt(token.issuer, token.subject);
    if (consumer === undefined && requireConsumer) return refusals.stranger;
    exchange.claims = token.claims;
    exchange.consumer ??= consumer;
    const { headers } = exchange.request;
    const lines = token.headerLines;
    for (let i = 0; i < lines.length; i += 2) headers.add(lines[i]!, lines[i + 1]!);
    if (!forward) removeCredential(exchange.request, from);
    return undefined;
  }

  return { onRequest, close: release };
}

function createVerifier(
  config: JwtConfig,
  source: KeySource,
  { clock }: PluginContext,
): TokenVerifier {
  const secret = config.secret === undefined ? undefined : Buffer.from(config.secret);
  return new TokenVerifier({
    algorithms: acceptedAlgorithms({
      listed: config.algorithms,
      hasKeySet: config.jwks !== undefined,
      secretBytes: secret?.length ?? 0,
    }),
    source,
    secret: secret === undefined ? undefined : createSecretKey(secret),
    issuers: toList(config.issuer),
    audiences: toList(config.audience),
    leewayMs: durationMs(config.leeway),
    requireExpiry: config.requireExpiry,
    clock,
  });
}

function toList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value;
}
