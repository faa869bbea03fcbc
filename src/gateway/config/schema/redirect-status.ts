/** The schema of a redirect's status. */
import { Type } from 'typebox';

export function RedirectStatusSchema(byDefault: 302 | 308) {
  return Type.Enum([301, 302, 303, 307, 308], {
    default: byDefault,
    description: 'Status of the answer.',
  });
}
