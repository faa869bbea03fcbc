/** headers: sets, adds and removes fields of the request and of the answer. */
import { definePlugin, type Exchange } from '../sdk/plugin.ts';
import { bindHeaderChanges, checkHeaderChanges } from './header-changes.ts';
import { HeadersConfig } from './schema.ts';

export const headers = definePlugin({
  name: 'headers',
  config: HeadersConfig,
  // After authentication, so that a field set here cannot pass for a credential.
  stage: 'shape',
  check: ({ request, response }) => [
    ...checkHeaderChanges(request ?? {}, 'request'),
    ...checkHeaderChanges(response ?? {}, 'response'),
  ],
  create(config) {
    const changeRequest = bindHeaderChanges(config.request);
    const changeResponse = bindHeaderChanges(config.response);
    return {
      ...(changeRequest !== undefined && {
        onRequest: (exchange: Exchange) => changeRequest(exchange.request.headers),
      }),
      ...(changeResponse !== undefined && {
        onResponse: (exchange: Exchange) => changeResponse(exchange.response.headers),
      }),
    };
  },
});
