/** What `explain` writes down while an exchange walks the request path. */
import type { HookResult } from '../../plugins/sdk/define-plugin.ts';
import { Problem } from '../../plugins/sdk/answer.ts';
import type { MatchNarrator } from '../routing/narration.ts';
import type { PluginInstance } from '../pipeline/hooks.ts';

/** Hears what the path decides; with one, hooks go on after a refusal so that each is heard. */
export interface PathNarrator extends MatchNarrator {
  plugin(instance: PluginInstance, result: HookResult, failure?: Error): void;
}

export interface RouteVerdict {
  readonly route: string;
  /** Which of the route's match entries, from 0. */
  readonly match: number;
  readonly won: boolean;
  readonly reason: string;
  /** Of one that lost: how far it came, from 0 (not even the host) to 3 (it matches, and was outranked). */
  readonly closeness?: number;
}

export interface PluginVerdict {
  readonly plugin: string;
  readonly stage: string;
  /** What it would answer; undefined: it lets the request go on. */
  readonly answer:
    | { readonly status: number; readonly code?: string; readonly detail?: string }
    | undefined;
  /** Of one that lets the request go on: what this leaves open, e.g. `unless the limit is used up`. */
  readonly note?: string;
  /** It threw; what follows is by its `onError`. */
  readonly failure?: string;
}

export class Narration implements PathNarrator {
  readonly routes: RouteVerdict[] = [];
  readonly plugins: PluginVerdict[] = [];

  won(route: string, match: number, reason: string): void {
    this.routes.push({ route, match, won: true, reason });
  }

  lost(route: string, match: number, reason: string, closeness: number): void {
    this.routes.push({ route, match, won: false, reason, closeness });
  }

  plugin(instance: PluginInstance, result: HookResult, failure?: Error): void {
    const goesOn = result === undefined && failure === undefined;
    const note = goesOn ? instance.dryRunNote : undefined;
    this.plugins.push({
      plugin: instance.name,
      stage: instance.stage,
      answer: toVerdictAnswer(result),
      ...(note !== undefined && { note }),
      ...(failure !== undefined && { failure: failure.message }),
    });
  }
}

function toVerdictAnswer(result: HookResult): PluginVerdict['answer'] {
  if (result === undefined) return undefined;
  if (!(result instanceof Problem)) return { status: result.status };
  const { status, code, detail } = result;
  return { status, code, ...(detail !== undefined && { detail }) };
}
