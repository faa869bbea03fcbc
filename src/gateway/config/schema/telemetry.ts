/** The schema of `telemetry`: what is told of every exchange. */
import { Type, type Static } from 'typebox';
import { CLOSED, Share, Text } from './scalar.ts';

const AccessLog = Type.Union(
  [
    Type.Literal(false),
    Type.Object(
      {
        format: Type.Enum(['json'], { default: 'json', description: 'How a line is written.' }),
        path: Type.Optional(Text('File to append to. Default: standard output.')),
        sample: Share({
          default: 1,
          description: 'Share of the exchanges that are logged. Failures always are.',
        }),
      },
      CLOSED,
    ),
  ],
  { default: {}, description: 'A line for every exchange; `false`: none.' },
);

const Tracing = Type.Object(
  {
    otlp: Type.String({
      pattern: '^https?://[^\\s]+$',
      examples: ['http://127.0.0.1:4318'],
      description: 'Base URL of a collector that speaks OTLP over HTTP.',
    }),
    sample: Share({ default: 0.01, description: 'Share of the exchanges that begin a trace.' }),
  },
  { ...CLOSED, description: 'Traces. Default: none are sent.' },
);

export const Telemetry = Type.Object(
  { accessLog: AccessLog, tracing: Type.Optional(Tracing) },
  { ...CLOSED, default: {}, description: 'What is told of every exchange.' },
);

export type RawTelemetry = Static<typeof Telemetry>;
