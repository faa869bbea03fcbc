/** `acl`: lets through those consumers and claims that a list names. */
import {
  definePlugin,
  problem,
  type ConfigIssue,
  type ConfigReference,
  type PluginHooks,
} from '../sdk/plugin.ts';
import { aclConfig, type AclConfig } from './schema.ts';
import { judge } from './verdict.ts';

export const acl = definePlugin({
  name: 'acl',
  config: aclConfig,
  stage: 'authorize',
  check: checkAcl,
  references: referencesOf,
  create: createAcl,
});

function checkAcl(config: AclConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (config.allow === undefined && config.deny === undefined) {
    issues.push({ path: '', message: 'lists nobody; give `allow`, `deny` or both' });
  }
  for (const list of ['allow', 'deny'] as const) {
    const names = config[list];
    if (names !== undefined && Object.keys(names).length === 0) {
      issues.push({
        path: list,
        message: 'lists nobody; name groups or consumers, or leave it out',
      });
    }
  }
  return issues;
}

function referencesOf(config: AclConfig): ConfigReference[] {
  return (['allow', 'deny'] as const).flatMap((list) => [
    ...toReferences('consumer', `${list}.consumers`, config[list]?.consumers),
    ...toReferences('group', `${list}.groups`, config[list]?.groups),
  ]);
}

function toReferences(
  to: ConfigReference['to'],
  path: string,
  names: readonly string[] = [],
): ConfigReference[] {
  return names.map((name, i) => ({ path: `${path}[${i}]`, to, name }));
}

function createAcl(config: AclConfig): PluginHooks {
  const unauthenticated = problem(401, 'unauthenticated', {
    detail: 'This needs a known caller.',
    headers: { 'www-authenticate': config.challenge },
  });
  const forbidden = problem(403, 'forbidden', { detail: 'The caller may not do this.' });
  return {
    onRequest(exchange) {
      switch (judge(config, exchange.consumer, exchange.claims)) {
        case 'unauthenticated':
          return unauthenticated;
        case 'forbidden':
          return forbidden;
        default:
          return undefined;
      }
    },
  };
}
