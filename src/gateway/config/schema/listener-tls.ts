/** The schema of a listener's `tls`. */
import { Type, type Static } from 'typebox';
import { CLOSED, Text } from './scalar.ts';

export const ListenerTls = Type.Object(
  {
    certificates: Type.Array(
      Type.Object(
        {
          cert: Text('PEM file with the certificate and its chain.'),
          key: Text('PEM file with its private key.'),
        },
        CLOSED,
      ),
      { default: [], description: 'Chosen by SNI; reloaded when the files change.' },
    ),
    selfSigned: Type.Array(Text('A host name or IP address.'), {
      default: [],
      description: 'Names of a certificate made for development, used where no other one fits.',
    }),
    clientCa: Type.Optional(
      Text('PEM file with the authorities that client certificates come from.'),
    ),
    clientAuth: Type.Optional(
      Type.Enum(['request', 'require'], {
        description: 'What a missing client certificate means. Default: `require` with `clientCa`.',
      }),
    ),
    minVersion: Type.Enum(['1.2', '1.3', 1.2, 1.3], {
      default: '1.2',
      description: 'Oldest TLS version.',
    }),
  },
  { ...CLOSED, description: 'TLS, for the protocol `https`.' },
);

export type RawListenerTls = Static<typeof ListenerTls>;
