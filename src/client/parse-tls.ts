/** `tls` among the options: PEM texts. */
import type { UpstreamTls } from '../mesh/transport/upstream.ts';
import type { OptionFields } from './option-fields.ts';

/** Undefined where it is not given. */
export function parseTls(parent: OptionFields, name: string): UpstreamTls | undefined {
  const fields = parent.fields(name, ['serverName', 'ca', 'cert', 'key', 'verify']);
  if (fields === undefined) return undefined;
  const serverName = fields.text('serverName');
  const ca = parsePem(fields, 'ca');
  const cert = parsePem(fields, 'cert');
  const key = parsePem(fields, 'key');
  if ((cert === undefined) !== (key === undefined)) {
    fields.fail(cert === undefined ? 'cert' : 'key', 'is missing: they go together');
  }
  return {
    verify: fields.flag('verify') ?? true,
    ...(serverName !== undefined && { serverName }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function parsePem(fields: OptionFields, name: string): string | undefined {
  const text = fields.text(name);
  // The mistake that is made: a path in place of what stands in the file.
  if (text !== undefined && !text.includes('-----BEGIN ')) {
    fields.fail(name, 'must be a PEM text, not the name of a file');
  }
  return text;
}
