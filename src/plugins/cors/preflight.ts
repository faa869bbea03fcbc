/** The answer to a preflight (Fetch standard, "CORS-preflight request"). */
import { answer, durationMs, type Answer, type ExchangeRequest } from '../sdk/plugin.ts';
import type { OriginMatcher } from './origin.ts';
import type { CorsConfig } from './schema.ts';

/** What a preflight's answer depends on; tells caches so, refusals included. */
const VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

/** Far more names than a page would set; an echo without bound would amplify what is sent. */
const MAX_REQUESTED_HEADERS_LENGTH = 4096;
const FIELD_NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

export type PreflightAnswer = (request: ExchangeRequest, origin: string) => Answer;

/** The method that a preflight asks for, undefined where the request is none. */
export function preflightMethod(request: ExchangeRequest): string | undefined {
  return request.method === 'OPTIONS'
    ? request.headers.get('access-control-request-method')
    : undefined;
}

/**
 * Answers 204, with all the CORS fields or with none: without Access-Control-Allow-Origin
 * the browser refuses the request that would have followed, whatever it lacks.
 */
export function bindPreflight(
  config: CorsConfig,
  allowsOrigin: OriginMatcher,
  allowOriginOf: (origin: string) => string,
): PreflightAnswer {
  const maxAge = String(Math.floor(durationMs(config.maxAge) / 1000));
  const anyMethod = config.methods.includes('*');
  const methods = new Set(config.methods);
  const methodList = config.methods.join(', ');
  const anyHeader = config.headers.includes('*');
  const headerNames = new Set(config.headers.map((name) => name.toLowerCase()));
  const headerList = config.headers.join(', ');
  const refusal = answer(204, { headers: { Vary: VARY } });

  return (request, origin) => {
    const method = preflightMethod(request)!;
    const requested = request.headers.get('access-control-request-headers')?.trim() ?? '';
    if (
      !allowsOrigin(origin) ||
      !(anyMethod ? FIELD_NAMES.test(method) && !method.includes(',') : methods.has(method)) ||
      !allowsHeaders(requested, anyHeader, headerNames)
    ) {
      return refusal;
    }
    const headers: Record<string, string> = {
      Vary: VARY,
      'Access-Control-Allow-Origin': allowOriginOf(origin),
      // Echoed for `*`: as a wildcard it would mean nothing with credentials, nor cover Authorization.
      'Access-Control-Allow-Methods': anyMethod ? method : methodList,
      'Access-Control-Max-Age': maxAge,
    };
    const allowed = anyHeader ? requested : headerList;
    if (allowed !== '') headers['Access-Control-Allow-Headers'] = allowed;
    if (config.credentials) headers['Access-Control-Allow-Credentials'] = 'true';
    return answer(204, { headers });
  };
}

function allowsHeaders(
  requested: string,
  anyHeader: boolean,
  allowed: ReadonlySet<string>,
): boolean {
  if (requested === '') return true;
  if (requested.length > MAX_REQUESTED_HEADERS_LENGTH || !FIELD_NAMES.test(requested)) return false;
  return anyHeader || requested.split(',').every((name) => allowed.has(name.trim().toLowerCase()));
}
