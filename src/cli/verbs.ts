/** All verbs, in the order in which the help lists them. */
import type { Log } from '../plugins/sdk/plugin-context.ts';
import type { CreateApp } from './app-port.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import { createCompletion } from './completion.ts';
import { diff } from './diff.ts';
import { drain } from './drain.ts';
import { createExplain } from './explain.ts';
import { history } from './history.ts';
import { rollback } from './rollback.ts';
import { services } from './services.ts';
import { createSidecar } from './sidecar.ts';
import { createStart } from './start.ts';
import { status } from './status.ts';
import { tap } from './tap.ts';
import { token } from './token.ts';
import { top } from './top.ts';
import type { Verb } from './verb.ts';
import { weight } from './weight.ts';

export function createVerbs(createApp: CreateApp, log: Log): readonly Verb[] {
  const verbs: Verb[] = [
    createStart(createApp, log),
    createSidecar(createApp, log),
    check,
    diff,
    createExplain(createApp),
    apply,
    history,
    rollback,
    status,
    services,
    top,
    tap,
    weight,
    drain,
    token,
  ];
  verbs.push(createCompletion(verbs));
  return verbs;
}
