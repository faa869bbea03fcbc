/** cors: answers preflights and marks answers as readable by other origins (Fetch standard, "CORS protocol"). */
import { definePlugin, type ConfigIssue, type Exchange, type HeaderFields } from '../sdk/plugin.ts';
import { createOriginMatcher, isOriginPattern } from './origin.ts';
import { bindPreflight, preflightMethod } from './preflight.ts';
import { CorsConfig } from './schema.ts';

/** In `exchange.state`: a preflight was answered, by this instance or another, and stands as it is. */
const ANSWERED = Symbol('cors preflight answered');

function check(config: CorsConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const [index, origin] of config.origins.entries()) {
    if (!isOriginPattern(origin)) {
      const message = `${JSON.stringify(origin)} is no origin: write scheme, host and port alone, e.g. https://app.example.com`;
      issues.push({ path: `origins[${index}]`, message });
    }
    if (origin === '*' && config.credentials) {
      const message =
        "'*' with credentials would let every site act as its visitors: list the origins";
      issues.push({ path: `origins[${index}]`, message });
    }
  }
  const exposesAll = config.exposeHeaders.indexOf('*');
  if (exposesAll >= 0 && config.credentials) {
    const message = "'*' is not a wildcard with credentials: list the headers";
    issues.push({ path: `exposeHeaders[${exposesAll}]`, message });
  }
  return issues;
}

export const cors = definePlugin({
  name: 'cors',
  config: CorsConfig,
  stage: 'edge',
  answersPreflight: true,
  check,
  create(config) {
    const anyOrigin = config.origins.includes('*');
    const allowsOrigin = createOriginMatcher(config.origins);
    const allowOriginOf = anyOrigin ? () => '*' : (origin: string) => origin;
    const answerPreflight = bindPreflight(config, allowsOrigin, allowOriginOf);
    const exposed = config.exposeHeaders.join(', ');

    const allow = (headers: HeaderFields, origin: string): void => {
      headers.add('Access-Control-Allow-Origin', allowOriginOf(origin));
      if (config.credentials) headers.add('Access-Control-Allow-Credentials', 'true');
      if (exposed !== '') headers.add('Access-Control-Expose-Headers', exposed);
    };

    return {
      onRequest({ request, state }: Exchange) {
        if (preflightMethod(request) === undefined) return undefined;
        const origin = request.headers.get('origin');
        if (origin === undefined) return undefined;
        state.set(ANSWERED, true);
        return answerPreflight(request, origin);
      },
      onResponse({ request, response, state }) {
        // By the method first: most exchanges then never make their `state`.
        if (request.method === 'OPTIONS' && state.has(ANSWERED)) return;
        removeCorsFields(response.headers);
        // The same for every origin and for none: a cache may keep one copy.
        if (anyOrigin) return allow(response.headers, '*');
        addToVary(response.headers, 'Origin');
        const origin = request.headers.get('origin');
        if (origin !== undefined && allowsOrigin(origin)) allow(response.headers, origin);
      },
    };
  },
});

const CORS_FIELDS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-private-network',
  'access-control-max-age',
];

/** Two Allow-Origin lines make a browser refuse the answer, and the upstream may allow more than this route does. */
function removeCorsFields(headers: HeaderFields): void {
  const { raw } = headers;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length < 22 || !isCorsField(raw[i]!)) continue;
    for (const name of CORS_FIELDS) headers.remove(name);
    return;
  }
}

function isCorsField(name: string): boolean {
  const first = name.charCodeAt(0);
  return (first === 65 || first === 97) && CORS_FIELDS.includes(name.toLowerCase());
}

/** Names what an answer depends on beside what it already names (RFC 9110 §12.5.5). */
function addToVary(headers: HeaderFields, name: string): void {
  const vary = headers.get('vary');
  if (vary === undefined || vary === '') return headers.set('Vary', name);
  const names = vary.toLowerCase().split(',');
  const wanted = name.toLowerCase();
  if (names.some((one) => one.trim() === '*' || one.trim() === wanted)) return undefined;
  return headers.set('Vary', `${vary}, ${name}`);
}
