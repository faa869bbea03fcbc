/** The schema of TLS towards somebody this node connects to. */
import { Type, type Static } from 'typebox';
import { CLOSED, Text } from './scalar.ts';

export function PeerTlsSchema(description: string) {
  return Type.Object(
    {
      serverName: Type.Optional(Text('Name to ask for and to verify. Default: the host.')),
      ca: Type.Optional(Text("PEM file with trusted authorities. Default: the runtime's own.")),
      cert: Type.Optional(Text('PEM file with a client certificate.')),
      key: Type.Optional(Text('PEM file with its private key.')),
      verify: Type.Boolean({ default: true, description: 'Whether to verify its certificate.' }),
    },
    { ...CLOSED, description },
  );
}

export type RawPeerTls = Static<ReturnType<typeof PeerTlsSchema>>;
