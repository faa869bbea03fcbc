/** Reads the request target once: from here on there is one host, one path and one query. */
import { codeAt } from '../../mesh/transport/octets.ts';
import type { GatewayExchange } from '../exchange/exchange.ts';
import { badRequest, targetTooLong } from '../exchange/request-refusals.ts';
import type { StageResult } from '../exchange/stage.ts';
import { splitAbsoluteForm } from '../routing/absolute-form.ts';
import { canonicalTarget, PathRefusal } from '../routing/canonical-path.ts';
import { parseAuthority } from '../routing/host-name.ts';

const SLASH = 0x2f;
const ASTERISK = 0x2a;

export function readTarget(exchange: GatewayExchange): StageResult {
  const { intake, request } = exchange;
  let { target, authority } = intake;
  if (target.length > intake.connection.listener.maxTargetBytes) {
    throw targetTooLong(intake.connection.listener.maxTargetBytes);
  }
  const first = codeAt(target, 0);
  if (first !== SLASH && first !== ASTERISK) {
    const absolute = splitAbsoluteForm(target);
    if (absolute === undefined) throw badRequest('The request target is neither a path nor a URL.');
    // RFC 9112 §3.2.2: the target's authority is in force, whatever the Host field says.
    ({ authority, originForm: target } = absolute);
    request.authority = authority;
  }
  const parsed = parseAuthority(authority, intake.connection.protocol === 'http/1.0');
  if (parsed === undefined)
    throw badRequest('The Host field is not a host name with an optional port.');
  // Before the path is looked at: the log names the host of a refused one.
  request.host = parsed.host;
  const canonical = canonicalTarget(target);
  if (canonical instanceof PathRefusal) throw badRequest(canonical.detail);
  request.path = canonical.path;
  request.query = canonical.query;
  exchange.encodedSlash = canonical.encodedSlash;
}
