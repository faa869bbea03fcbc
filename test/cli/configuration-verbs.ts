/** Verbs that change the shared configuration, against a real admin API with a real check of it. */
import type { ConfigurationSources } from '../../src/admin/resources/configuration-access.ts';
import type { Verb } from '../../src/cli/verb.ts';
import { createFolder } from '../gateway/config/config-file.ts';
import { startConfigured, type ConfiguredAdmin } from '../admin/configured-admin.ts';
import { envOf } from './admin-verbs.ts';
import { runVerb, type VerbRun } from './verb-run.ts';

export const FILE = `meshgate: 1
node: { name: edge-1 }
services:
  orders:
    endpoints: [{ address: 127.0.0.1:3001 }]
routes:
  - { name: orders, match: [{ path: /orders/* }], to: orders, timeout: 5s }
`;

export interface Desk extends ConfiguredAdmin {
  readonly folder: string;
  run(verb: Verb, ...argv: string[]): Promise<VerbRun>;
  /** Somebody sits at the terminal, and answers so. */
  answer(answer: string | undefined, verb: Verb, ...argv: string[]): Promise<VerbRun>;
}

/** With the files in its folder, and as version 1 what `SOME` says unless it says otherwise. */
export async function startDesk(
  files: Readonly<Record<string, string>> = { 'meshgate.yaml': FILE },
  options: Partial<ConfigurationSources> = {},
  first?: unknown,
): Promise<Desk> {
  const admin = await startConfigured(options, first);
  const folder = await createFolder(files);
  return {
    ...admin,
    folder,
    run: (verb, ...argv) => runVerb(verb, argv, folder, envOf(admin)),
    async answer(answer, verb, ...argv) {
      let asked = '';
      const ask = async (question: string): Promise<string | undefined> => {
        asked += question;
        return answer;
      };
      const run = await runVerb(verb, argv, folder, envOf(admin), { ask });
      return { ...run, stderr: `${run.stderr}${asked}` };
    },
  };
}
