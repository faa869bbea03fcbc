/** `POST /v1/explain`: what would become of a request, and why; nothing is sent upstream. */
import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { UnexplainableError } from '../../gateway/explain/question.ts';
import { TOKEN_PATTERN } from '../../plugins/sdk/field-syntax.ts';
import { invalid } from './answers.ts';
import type { ConfigurationAccess } from './configuration-access.ts';
import { refusals } from './refusals.ts';

const Question = Type.Object(
  {
    method: Type.String({ pattern: TOKEN_PATTERN, maxLength: 64, examples: ['GET'] }),
    url: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description: 'Absolute, as a client would have it.',
      examples: ['https://api.example.com/orders/1'],
    }),
    headers: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ pattern: TOKEN_PATTERN, maxLength: 256 }),
            value: Type.String({ pattern: '^[^\\r\\n\\0]*$', maxLength: 16_384 }),
          },
          { additionalProperties: false },
        ),
        { maxItems: 100 },
      ),
    ),
    body: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

const Optional = (description: string) => Type.Optional(Type.String({ description }));

const Explained = Type.Object({
  listener: Type.String(),
  routes: Type.Array(
    Type.Object({
      route: Type.String(),
      match: Type.Integer({ minimum: 0, description: "Which of the route's match entries." }),
      won: Type.Boolean(),
      reason: Type.String(),
      closeness: Type.Optional(
        Type.Number({ description: 'Of one that lost: how far it came, from 0 to 3.' }),
      ),
    }),
    { description: 'The winner first; then why each other candidate lost.' },
  ),
  plugins: Type.Array(
    Type.Object({
      plugin: Type.String(),
      stage: Type.String(),
      answer: Type.Optional(
        Type.Object(
          {
            status: Type.Integer(),
            code: Optional('Of the problem.'),
            detail: Optional('For people.'),
          },
          { description: 'Left out: it lets the request go on.' },
        ),
      ),
      note: Optional('What letting it go on leaves open: nothing is counted or spent here.'),
      failure: Optional('Why it failed.'),
    }),
  ),
  targets: Type.Array(
    Type.Object({ target: Type.String(), weight: Type.Number(), won: Type.Boolean() }),
    { description: 'Those of the route, where it has several.' },
  ),
  forward: Type.Optional(
    Type.Object(
      {
        service: Type.String(),
        target: Type.String(),
        authority: Type.String(),
        endpoint: Optional('Left out: there is none.'),
        reason: Type.String(),
        endpoints: Type.Array(Type.Object({ endpoint: Type.String(), verdict: Type.String() })),
      },
      { description: 'Where the request would go; left out: nowhere.' },
    ),
  ),
  answer: Type.Optional(
    Type.Object(
      { status: Type.Integer(), code: Type.String(), reason: Type.String() },
      { description: 'What the gateway would answer itself; left out: it forwards.' },
    ),
  ),
});

export function addExplanations(
  app: FastifyInstance,
  { explain }: Pick<ConfigurationAccess, 'explain'>,
): void {
  app.post<{ Body: Static<typeof Question> }>(
    '/v1/explain',
    {
      schema: {
        operationId: 'explainRequest',
        summary: 'Say which route wins, why the others lose, and what each plugin would answer.',
        tags: ['explain'],
        body: Question,
        response: { 200: Explained, ...refusals(400, 401, 403, 413, 415, 421, 422, 429) },
      } as object,
      config: { role: 'viewer' },
    },
    async ({ body: { method, url: address, headers = [], body } }) => {
      const url = URL.parse(address);
      if (url === null) throw wrongUrl('is no absolute URL');
      try {
        return await explain({
          method: method.toUpperCase(),
          url,
          headers: headers.flatMap(({ name, value }) => [name, value]),
          body: body === undefined ? undefined : Buffer.from(body),
        });
      } catch (error) {
        if (error instanceof UnexplainableError) throw wrongUrl(error.message);
        throw error;
      }
    },
  );
}

function wrongUrl(detail: string): Error {
  return invalid([{ detail, pointer: '#/url' }]);
}
