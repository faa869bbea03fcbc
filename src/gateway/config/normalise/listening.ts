/** Everything of a node that listens: each has an address of its own. */
import type { AddressConfig, Config } from '../config.ts';
import { toPointer, valueAt, type ConfigPath } from '../config-path.ts';
import type { RawDocument } from '../schema/document.ts';
import type { Draft } from './draft.ts';

interface ListeningAddress {
  readonly address: AddressConfig;
  /** For people. */
  readonly owner: string;
  readonly path: ConfigPath;
}

/** JSON pointers of those addresses with a default that stand in a document, before it is filled in. */
export function writtenAddressesOf(document: unknown): ReadonlySet<string> {
  const listeners = valueAt(document, ['listeners']);
  const indexes = Array.isArray(listeners) ? [...listeners.keys()] : [];
  const paths: ConfigPath[] = [
    ...indexes.map((i) => ['listeners', i, 'address']),
    ...['outbound', 'admin', 'status'].map((key) => [key, 'address']),
  ];
  const written = paths.filter((path) => valueAt(document, path) !== undefined);
  return new Set(written.map(toPointer));
}

export function checkListening(
  draft: Draft,
  raw: RawDocument,
  config: Pick<Config, 'listeners' | 'registrations' | 'outbound' | 'admin' | 'status'>,
): void {
  const { listeners, registrations, outbound, admin, status } = config;
  const listenerIndexes = presentIndexes(raw.listeners);
  const addresses: ListeningAddress[] = listeners.map((listener, i) => ({
    address: listener,
    owner: `the listener ${JSON.stringify(listener.name)}`,
    path: ['listeners', listenerIndexes[i]!, 'address'],
  }));
  const registrationIndexes = presentIndexes(raw.register);
  for (const [i, { inbound, service }] of registrations.entries()) {
    if (inbound === undefined) continue;
    const owner = `the inbound door of ${service}`;
    const path = ['register', registrationIndexes[i]!, 'inbound'];
    addresses.push({ address: inbound, owner, path });
  }
  if (outbound !== undefined) {
    addresses.push({
      address: outbound,
      owner: 'the outbound door',
      path: ['outbound', 'address'],
    });
  }
  if (addresses.length + registrations.length === 0) {
    draft.report(['listeners'], 'the node listens nowhere', {
      hint: 'give it a listener, or leave the key out for the default ones',
    });
  }
  addresses.push({ address: admin.address, owner: 'admin', path: ['admin', 'address'] });
  addresses.push({ address: status, owner: 'status', path: ['status', 'address'] });
  checkAddresses(draft, addresses);
}

/** Reports addresses that cannot both be listened on. */
function checkAddresses(draft: Draft, addresses: readonly ListeningAddress[]): void {
  const byPort = new Map<number, ListeningAddress[]>();
  for (const one of addresses) {
    const { host, port } = one.address;
    if (port === 0) continue;
    const sharing = byPort.get(port) ?? [];
    const other = sharing.find(({ address }) => overlaps(address.host, host));
    if (other !== undefined) reportClash(draft, other, one);
    sharing.push(one);
    byPort.set(port, sharing);
  }
}

/** At the later one, unless the earlier alone stands in the file. */
function reportClash(draft: Draft, earlier: ListeningAddress, later: ListeningAddress): void {
  const isWritten = ({ path }: ListeningAddress): boolean =>
    path[0] === 'register' || draft.writtenAddresses.has(toPointer(path));
  const [taker, taken] =
    !isWritten(later) && isWritten(earlier) ? [later, earlier] : [earlier, later];
  if (isWritten(taker) || !isWritten(taken)) {
    draft.report(taken.path, `the address is taken by ${taker.owner}`, {
      hint: 'give it another port or address',
    });
  } else {
    draft.report(
      taken.path,
      `the address is taken by ${taker.owner}, which has it unless told otherwise`,
      { hint: 'give one of the two another port or address' },
    );
  }
}

/** `::` listens on IPv4 too, unless the system says otherwise. */
function overlaps(a: string, b: string): boolean {
  if (a === b || a === '::' || b === '::') return true;
  if (a === '0.0.0.0') return !b.includes(':');
  return b === '0.0.0.0' && !a.includes(':');
}

/** Faulty items have been taken out of a list, and left holes. */
function presentIndexes(list: readonly unknown[]): number[] {
  return [...list.keys()].filter((i) => list[i] !== undefined);
}
