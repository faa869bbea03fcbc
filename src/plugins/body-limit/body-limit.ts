/** body-limit: how large the body of a request may be, in place of the listener's limit. */
import { byteSize, ByteSize, definePlugin, problem, Type } from '../sdk/plugin.ts';

export const bodyLimit = definePlugin({
  name: 'body-limit',
  config: Type.Object(
    { max: ByteSize({ description: 'Largest body; may be more than the listener lets in' }) },
    { additionalProperties: false },
  ),
  stage: 'edge',
  create(config) {
    const maxBytes = byteSize(config.max);
    return {
      onRequest({ request }) {
        // Known too large before a byte of it is read. Else it is counted as it comes.
        if (request.contentLength !== undefined && request.contentLength > maxBytes) {
          return problem(413, 'payload_too_large', {
            detail: `The body may have ${maxBytes} bytes at most.`,
          });
        }
        request.limitBody(maxBytes);
        return undefined;
      },
    };
  },
});
