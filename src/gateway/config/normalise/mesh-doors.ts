/** What makes a node a node proxy: the instances it registers, and its outbound door. */
import { LOCAL_CHECK_DEFAULTS } from '../../../mesh/service/service-defaults.ts';
import { toPathText, type ConfigPath } from '../config-path.ts';
import type { AddressConfig } from '../config.ts';
import type { OutboundConfig, RegistrationConfig } from '../mesh-config.ts';
import type { RawOutbound, RawRegisteredInstance } from '../schema/mesh-doors.ts';
import { Malformed, parseAddress } from './address.ts';
import { mapPresent, toRecord, type Draft } from './draft.ts';
import { toHealthCheck } from './health.ts';
import { toAddress } from './listener.ts';

const DEFAULT_CHECK: RegistrationConfig['healthCheck'] = {
  by: { kind: 'tcp' },
  ...LOCAL_CHECK_DEFAULTS,
};

export function toRegistrations(
  draft: Draft,
  raw: readonly RawRegisteredInstance[],
): readonly RegistrationConfig[] {
  const seen = new Map<string, ConfigPath>();
  return mapPresent(raw, ['register'], (one, path) => {
    const registration = toRegistration(draft, one, path);
    const { service, id, application, inbound, advertise } = registration;
    // Port 0 is another one each time.
    const door = inbound?.port === 0 ? application : (inbound ?? application);
    const key = JSON.stringify([service, id ?? advertise ?? door]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else {
      draft.report(path, `the same instance as ${toPathText(first)}`, {
        hint: 'give one of them another id or address',
      });
    }
    return registration;
  });
}

function toRegistration(
  draft: Draft,
  raw: RawRegisteredInstance,
  path: ConfigPath,
): RegistrationConfig {
  const { service, id, protocol, weight, priority, inbound } = raw;
  const checkPath = [...path, 'healthCheck'];
  return {
    service,
    application: toPeer(draft, raw.address, [...path, 'address']) ?? { host: '', port: 0 },
    inbound: inbound === undefined ? undefined : toAddress(draft, inbound, [...path, 'inbound']),
    advertise: toPeer(draft, raw.advertise, [...path, 'advertise']),
    id,
    protocol,
    weight,
    priority,
    metadata: toRecord(raw.metadata),
    healthCheck: toHealthCheck(draft, raw.healthCheck, protocol, checkPath) ?? DEFAULT_CHECK,
  };
}

export function toOutbound(draft: Draft, raw: RawOutbound | undefined): OutboundConfig | undefined {
  if (raw === undefined) return undefined;
  return { ...toAddress(draft, raw.address, ['outbound', 'address']), services: raw.services };
}

/** Of somebody who listens there already. */
function toPeer(
  draft: Draft,
  text: string | undefined,
  path: ConfigPath,
): AddressConfig | undefined {
  if (text === undefined) return undefined;
  const address = parseAddress(text, 1);
  if (!(address instanceof Malformed)) return address;
  draft.report(path, `${JSON.stringify(text)}: ${address.message}`, { hint: address.hint });
  return undefined;
}
