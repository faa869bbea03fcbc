/** The configuration's own schema, which editors check files by, as components of the OpenAPI document. */
import { toJsonSchema } from '../../gateway/config/json-schema.ts';
import type { PluginCatalogue } from '../../gateway/config/plugin-catalogue.ts';
import { DETAILS } from '../resources/certificate-details.ts';
import { bodyNameOf, SCHEMAS } from './component-ref.ts';
import type { Schema } from './schemas.ts';

const CERTIFICATE_DETAILS: Schema = {
  type: 'object',
  readOnly: true,
  description:
    'What stands in the certificate; of one that a file holds, as the node that answers runs it. Of no effect in a body.',
  additionalProperties: false,
  required: [
    'subject',
    'issuer',
    'dns_names',
    'valid_from',
    'valid_until',
    'serial_number',
    'fingerprint',
  ],
  properties: {
    subject: { type: 'string', examples: ['CN=api.example.com'] },
    issuer: { type: 'string' },
    dns_names: { type: 'array', items: { type: 'string' } },
    valid_from: { type: 'string', format: 'date-time' },
    valid_until: { type: 'string', format: 'date-time' },
    serial_number: { type: 'string', description: 'Hexadecimal.' },
    fingerprint: { type: 'string', description: 'SHA-256, in hexadecimal pairs with colons.' },
  },
};

const DEFINITIONS = '#/definitions/';

/**
 * `Configuration` is the shared document; `Service`, `Route`, `Consumer`, `Plugin` and `Certificate`
 * are the resources that its entries are, and `ServiceBody` and so on what is sent to put one.
 */
export function toConfigurationSchemas(
  catalogue: PluginCatalogue,
): Readonly<Record<string, Schema>> {
  const { properties, definitions } = withComponents(toJsonSchema(catalogue)) as {
    readonly properties: Readonly<Record<string, Schema>>;
    readonly definitions: Readonly<Record<string, Schema>>;
  };
  const { services, routes, consumers, plugins, certificates } = properties;
  const service = valueOf(services!);
  const certificate = valueOf(certificates!);
  const route = routes!['items'] as Schema;
  const consumer = consumers!['items'] as Schema;
  const components: Record<string, Schema> = {
    Configuration: {
      type: 'object',
      description: 'What all nodes share, as it is written; secrets are shown as `(hidden)`.',
      additionalProperties: false,
      properties: {
        meshgate: { const: 1, description: 'Version of the format; may be left out.' },
        $schema: { type: 'string', description: 'Where editors find the schema; not kept.' },
        services: {
          ...withoutKey(services!, 'patternProperties'),
          additionalProperties: { $ref: `${SCHEMAS}ServiceSettings` },
        },
        routes: { ...routes, items: { $ref: `${SCHEMAS}Route` } },
        plugins: plugins!,
        consumers: { ...consumers, items: { $ref: `${SCHEMAS}Consumer` } },
        certificates: {
          ...withoutKey(certificates!, 'patternProperties'),
          additionalProperties: { $ref: `${SCHEMAS}CertificateSettings` },
        },
      },
    },
    ServiceSettings: service,
    ...toResource('Service', service),
    ...toResource('Route', route),
    ...toResource('Consumer', consumer),
    CertificateSettings: certificate,
    ...toResource('Certificate', withDetails(certificate)),
    ...toResource('Plugin', {
      type: 'object',
      description: 'A use of a plugin on every route.',
      additionalProperties: false,
      properties: {
        name: {
          type: 'string',
          description: 'Of the plugin; of its second use, with `:2` behind it.',
          examples: ['cors', 'headers:2'],
        },
        config: {
          description: 'Its settings; default: {}.',
          anyOf: [...catalogue.keys()].map((name) => ({ $ref: `${SCHEMAS}${settingsName(name)}` })),
        },
      },
    }),
  };
  for (const [name, definition] of Object.entries(definitions)) {
    components[componentName(name)] = definition;
  }
  return components;
}

/** What an answer always has, and a body may leave out: the path has the name. */
const ALWAYS_ANSWERED = ['name', 'config'] as const;

/** Of a body, and of an answer as one that has more for certain. */
function toResource(singular: string, schema: Schema): Record<string, Schema> {
  const {
    properties,
    required: ofFile = [],
    ...rest
  } = schema as {
    readonly properties: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
    readonly description?: string;
  };
  const name = properties['name'] ?? { type: 'string', description: 'Its name.' };
  const all = { name, ...properties };
  const required = ofFile.filter((key) => key !== 'name');
  const body = bodyNameOf(singular);
  return {
    [body]: { ...rest, ...(required.length > 0 && { required }), properties: all },
    [singular]: {
      ...(rest.description !== undefined && { description: rest.description }),
      allOf: [{ $ref: `${SCHEMAS}${body}` }],
      required: ALWAYS_ANSWERED.filter((key) => key in all),
    },
  };
}

/** Of a mapping by names. */
function valueOf(mapping: Schema): Schema {
  const [value] = Object.values(mapping['patternProperties'] as Record<string, Schema>);
  return value!;
}

function withDetails(schema: Schema): Schema {
  return {
    ...schema,
    properties: { ...(schema['properties'] as object), [DETAILS]: CERTIFICATE_DETAILS },
  };
}

function withoutKey(schema: Schema, key: string): Schema {
  const { [key]: _, ...rest } = schema;
  return rest;
}

/** References to definitions of the file become references to components. */
function withComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withComponents);
  if (typeof value === 'string' && value.startsWith(DEFINITIONS)) {
    return `${SCHEMAS}${componentName(value.slice(DEFINITIONS.length))}`;
  }
  if (typeof value !== 'object' || value === null) return value;
  const shown = 'writeOnly' in value ? toShownSecret(value) : value;
  return Object.fromEntries(
    Object.entries(shown).map(([key, member]) => [key, withComponents(member)]),
  );
}

/** In answers it is there, as `(hidden)`, which meets none of the rules for what it stands for. */
function toShownSecret(schema: object): Schema {
  const { writeOnly: _, pattern: __, minLength: ___, ...rest } = schema as Schema;
  return { ...rest, format: 'password' };
}

function componentName(definition: string): string {
  return definition === 'plugins' ? 'PluginList' : settingsName(definition.replace(/^plugin-/, ''));
}

/** `rate-limit` → `RateLimitSettings`. */
function settingsName(plugin: string): string {
  const words = plugin.split(/[^A-Za-z0-9]+/);
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Settings`;
}
