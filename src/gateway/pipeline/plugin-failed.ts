/** What an exchange ends with when one of its plugins fails. */
import { MeshgateError } from '../../errors.ts';

/** The cause is for the log: what a plugin says of itself may name anything. */
export function pluginFailed(cause: unknown): MeshgateError {
  return new MeshgateError('plugin_failed', {
    status: 500,
    detail: 'A plugin of this route failed.',
    cause,
  });
}
