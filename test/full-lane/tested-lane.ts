/** Which lane the listeners under test have: the product's choice, or the one that MESHGATE_TEST_LANE says. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const lane = process.env['MESHGATE_TEST_LANE'] ?? 'auto';
if (lane !== 'auto' && lane !== 'full') throw new Error(`MESHGATE_TEST_LANE: no lane ${lane}`);

export const isFullLaneAlone = lane === 'full';

/** In place of the wire lane, where there is to be none. */
export const NO_WIRE_LANE = join(import.meta.dirname, 'no-wire-lane.ts');

/** The wire lane as an import names it, in the sources or in what is built of them. */
export const WIRE_LANE = /\/wire-lane\/wire-lane\.[jt]s$/;

/** It must do no harm in older runtimes: the system's npm may have one. */
const HOOK = `import module from 'node:module';
module.registerHooks?.({
  resolve: (specifier, context, next) =>
    ${WIRE_LANE}.test(specifier)
      ? { url: '${pathToFileURL(NO_WIRE_LANE).href}', shortCircuit: true }
      : next(specifier, context),
});`;

/** NODE_OPTIONS of processes whose modules are not in the tests' bundle, of theirs as well. */
export const LANE_OPTIONS = isFullLaneAlone
  ? `--import=data:text/javascript,${encodeURIComponent(HOOK)}`
  : '';
