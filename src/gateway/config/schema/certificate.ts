/** The schema of `certificates`: what https listeners show, beside their own. */
import { Type, type Static } from 'typebox';
import { CLOSED, Labels } from './scalar.ts';

export const CertificateSchema = Type.Object(
  {
    cert: Type.String({
      minLength: 1,
      examples: ['${file:/run/secrets/api.pem}'],
      description:
        'The certificate and its chain, as PEM text; from a file of each node by `${file:…}`.',
    }),
    key: Type.String({
      minLength: 1,
      writeOnly: true,
      examples: ['${file:/run/secrets/api.key}'],
      description: 'Its private key, as PEM text without a passphrase.',
    }),
    serverNames: Type.Optional(
      Type.Array(Type.String({ minLength: 1, examples: ['api.example.com', '*.example.com'] }), {
        minItems: 1,
        description:
          'Names that it is chosen for: exact, or `*.` for one label. No other certificate has any of them. Default: the DNS names that stand in it.',
      }),
    ),
    labels: Labels(),
  },
  { ...CLOSED, description: 'A certificate with its private key.' },
);

export const Certificates = Type.Record(Type.String(), CertificateSchema, {
  default: {},
  description:
    'Certificates of all https listeners, by name. Chosen by SNI where the listener has no certificate of its own for the name.',
});

export type RawCertificate = Static<typeof CertificateSchema>;
