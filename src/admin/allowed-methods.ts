/** Which methods a path has, for who asked it by another one (RFC 9110 §15.5.6). */
import type { FastifyInstance } from 'fastify';

interface Known {
  /** `:name` stands for any, `*` for all that follow. */
  readonly segments: readonly string[];
  readonly methods: readonly string[];
}

/** In the order of the alphabet; empty: there is nothing at the path. */
export type AllowedMethods = (path: string) => readonly string[];

/** To be called before the first route. */
export function useAllowedMethods(app: FastifyInstance): AllowedMethods {
  const known: Known[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    known.push({ segments: url.split('/'), methods: [method].flat() });
  });
  return (path) => {
    const asked = path.split('/');
    const fitting = known.filter(({ segments }) => fits(segments, asked));
    return [...new Set(fitting.flatMap(({ methods }) => methods))].toSorted();
  };
}

function fits(segments: readonly string[], asked: readonly string[]): boolean {
  const isOpen = segments.at(-1) === '*';
  if (isOpen ? asked.length < segments.length : asked.length !== segments.length) return false;
  return segments.every((segment, i) => {
    if (segment.startsWith(':')) return asked[i] !== '';
    return segment === asked[i] || (isOpen && i === segments.length - 1);
  });
}
