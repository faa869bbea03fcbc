/** `meshgate completion`: what a shell needs to complete verbs and options, made of the verbs themselves. */
import { misuse } from './admin-verb.ts';
import { toBashScript, toFishScript, toZshScript } from './completion-scripts.ts';
import { parseArguments } from './verb-arguments.ts';
import type { Verb } from './verb.ts';

const SCRIPTS = { bash: toBashScript, zsh: toZshScript, fish: toFishScript } as const;
const SHELLS = Object.keys(SCRIPTS) as readonly (keyof typeof SCRIPTS)[];

/** `verbs` is read when it runs, and has this one by then. */
export function createCompletion(verbs: readonly Verb[]): Verb {
  const verb: Verb = {
    name: 'completion',
    summary: 'Print what a shell needs to complete verbs and options.',
    usage: `meshgate completion ${SHELLS.join('|')}

Exit code 0; 2: misuse.

Examples:
  source <(meshgate completion bash)                  # in ~/.bashrc
  source <(meshgate completion zsh)                   # in ~/.zshrc, after compinit
  meshgate completion fish > ~/.config/fish/completions/meshgate.fish`,
    options: {},
    takes: SHELLS,
    async run(argv, io) {
      const { positionals } = parseArguments(argv, {});
      const shell = SHELLS.find((one) => one === positionals[0]);
      if (shell === undefined || positionals.length > 1) {
        return misuse(io, `completion takes one of ${SHELLS.join(', ')}`, verb.usage);
      }
      io.stdout.write(SCRIPTS[shell](verbs));
      return 0;
    },
  };
  return verb;
}
