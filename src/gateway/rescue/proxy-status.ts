/** The Proxy-Status field (RFC 9209) of an answer that the gateway made. */

/** Our codes in the standard's vocabulary (RFC 9209 §2.3); a code without an entry names no proxy error. */
const PROXY_ERROR: ReadonlyMap<string, string> = new Map([
  ['bad_request', 'http_request_error'],
  ['uri_too_long', 'http_request_error'],
  ['headers_too_large', 'http_request_error'],
  ['payload_too_large', 'http_request_error'],
  ['request_timeout', 'http_request_error'],
  ['expectation_failed', 'http_request_error'],
  ['misdirected_request', 'http_request_error'],
  ['unauthenticated', 'http_request_denied'],
  ['forbidden', 'http_request_denied'],
  ['rate_limited', 'http_request_denied'],
  ['no_route', 'destination_not_found'],
  ['no_healthy_endpoint', 'destination_unavailable'],
  ['circuit_open', 'connection_limit_reached'],
  ['overloaded', 'proxy_internal_error'],
  ['upstream_reset', 'connection_terminated'],
  ['upstream_protocol_error', 'http_protocol_error'],
  ['upstream_timeout', 'connection_read_timeout'],
  ['plugin_failed', 'proxy_internal_error'],
  ['internal', 'proxy_internal_error'],
]);

/** System and try errors that the standard names more exactly than our code does. */
const BY_CAUSE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection_refused'],
  ['ENOTFOUND', 'dns_error'],
  ['EAI_AGAIN', 'dns_error'],
  ['EHOSTUNREACH', 'destination_ip_unroutable'],
  ['ENETUNREACH', 'destination_ip_unroutable'],
  ['connect-timeout', 'connection_timeout'],
  ['tls', 'tls_protocol_error'],
  // OpenSSL's verdicts on a certificate, by node's names of them.
  ['CERT_HAS_EXPIRED', 'tls_certificate_error'],
  ['CERT_NOT_YET_VALID', 'tls_certificate_error'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_certificate_error'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_certificate_error'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'tls_certificate_error'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls_certificate_error'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_certificate_error'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_certificate_error'],
]);

/** The field's value, e.g. `meshgate; error=connection_refused`. */
export function toProxyStatus(code: string, cause: unknown): string {
  const error =
    errorOfCause(cause) ??
    PROXY_ERROR.get(code) ??
    (code === 'upstream_connect_failed' ? 'destination_unavailable' : undefined);
  return error === undefined ? 'meshgate' : `meshgate; error=${error}`;
}

function errorOfCause(cause: unknown): string | undefined {
  // Causes are nested: exchange error → failed try → system error. The innermost knows best.
  let named: string | undefined;
  for (let at = cause, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const { code, failure } = at as { code?: unknown; failure?: unknown };
    named = BY_CAUSE.get(String(code)) ?? BY_CAUSE.get(String(failure)) ?? named;
  }
  return named;
}
