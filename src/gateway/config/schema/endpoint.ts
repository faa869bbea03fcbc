/** The schemas of a service's `endpoints` and `discover`. */
import { Type, type Static } from 'typebox';
import { Duration } from '../../../plugins/sdk/quantity.ts';
import { Address, CLOSED, Text, TextMap } from './scalar.ts';

export const Endpoint = Type.Object(
  {
    address: Address('Address and port.'),
    weight: Type.Number({
      minimum: 0,
      maximum: 1_000_000,
      default: 1,
      description: 'Share of the requests, in proportion to the others; 0: none.',
    }),
    metadata: TextMap('What `where` of a route chooses by.'),
  },
  { ...CLOSED, description: 'One instance.' },
);

const DnsLookup = Type.Object(
  {
    name: Text('Name to look up.'),
    type: Type.Enum(['A', 'AAAA', 'SRV'], {
      default: 'A',
      description: 'Type of its records.',
    }),
    port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description: 'Port of every endpoint. Not for SRV, whose records tell it.',
      }),
    ),
    refresh: Type.Optional(
      Duration({ description: "Time between two look-ups. Default: by the records' TTL." }),
    ),
  },
  { ...CLOSED, description: 'By DNS.' },
);

export const Discover = Type.Object(
  {
    mesh: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]{1,100}$',
        examples: ['orders'],
        description: 'The instances that are registered in the mesh under this name.',
      }),
    ),
    dns: Type.Optional(DnsLookup),
  },
  {
    ...CLOSED,
    minProperties: 1,
    maxProperties: 1,
    description: 'Where its instances are found: `mesh` or `dns`.',
  },
);

export type RawEndpoint = Static<typeof Endpoint>;
export type RawDiscover = Static<typeof Discover>;
