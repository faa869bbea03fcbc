/** The configuration of cors. */
import { TOKEN_PATTERN, Duration, Type, type Static } from '../sdk/plugin.ts';

export const CorsConfig = Type.Object(
  {
    origins: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description:
        'Who may read the answers: `https://app.example.com`, `https://*.example.com` (any depth, not the name itself), `null`, or `*`',
    }),
    methods: Type.Array(Type.String({ pattern: TOKEN_PATTERN }), {
      default: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
      description: 'Methods that a preflight may ask for; `*` is any',
    }),
    headers: Type.Array(Type.String({ pattern: TOKEN_PATTERN }), {
      default: ['*'],
      description: 'Request headers that a preflight may ask for; `*` is any',
    }),
    exposeHeaders: Type.Array(Type.String({ pattern: TOKEN_PATTERN }), {
      default: [],
      description: 'Response headers that scripts may read beside the safelisted ones',
    }),
    credentials: Type.Boolean({
      default: false,
      description: 'Whether requests may carry cookies and other credentials',
    }),
    maxAge: Duration({
      default: '5m',
      description: "How long a browser may keep a preflight's answer, in whole seconds",
    }),
  },
  { additionalProperties: false },
);

export type CorsConfig = Static<typeof CorsConfig>;
