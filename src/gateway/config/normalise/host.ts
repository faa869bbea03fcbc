/** Host names that listeners and routes serve. */
import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { parseAuthority } from '../../routing/host-name.ts';
import type { ConfigPath } from '../config-path.ts';
import { hostNameFault } from './address.ts';
import { mapPresent, type Draft } from './draft.ts';

/** Lower case and ASCII, as requests carry them; reports those that no request can have. */
export function toHosts(
  draft: Draft,
  hosts: readonly string[] | undefined,
  path: ConfigPath,
): readonly string[] {
  return mapPresent(hosts, path, (host, place) => toHostPattern(draft, host, place));
}

function toHostPattern(draft: Draft, text: string, path: ConfigPath): string {
  if (text === '*') return text;
  const wildcard = text.startsWith('*.');
  const written = wildcard ? text.slice(2) : text;
  const shown = JSON.stringify(text);
  const reject = (message: string, hint?: string): string => {
    draft.report(path, message, { hint });
    return text;
  };
  if (written.includes('*')) {
    return reject(
      `${shown} has a "*" that is not its whole first label`,
      '"*.example.com" names all that end in ".example.com"',
    );
  }
  if (written.includes('/')) return reject(`${shown} is no host name`, 'leave scheme and path out');
  const parsed = parseAuthority(toAscii(written));
  if (parsed?.port !== undefined) {
    return reject(`${shown} has a port`, "leave it out: a Host's port is ignored");
  }
  if (parsed === undefined || (wildcard && isIPv4(parsed.host))) {
    return reject(`${shown} is no host name`);
  }
  if (!parsed.host.startsWith('[')) {
    const fault = hostNameFault(parsed.host);
    if (fault !== undefined) return reject(`${shown} ${fault.message}`, fault.hint);
  }
  return wildcard ? `*.${parsed.host}` : parsed.host;
}

function toAscii(name: string): string {
  // oxlint-disable-next-line no-control-regex -- all of ASCII is meant
  return /^[\u0000-\u007f]*$/.test(name) ? name : domainToASCII(name) || name;
}
