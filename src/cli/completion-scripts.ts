/** Completion of the command line for bash, zsh and fish. */
import type { Verb, VerbOption, VerbOptions } from './verb.ts';

/** A verb, or an action of one. */
interface Place {
  /** `token create` */
  readonly words: readonly string[];
  readonly options: VerbOptions;
  readonly takes: Verb['takes'];
}

const EVERYWHERE: VerbOptions = { help: { type: 'boolean', short: 'h' } };
const AT_THE_TOP = ['--help', '--version'];

function toPlaces({ name, options, takes, actions = {} }: Verb): readonly Place[] {
  const own: Place = {
    words: [name],
    options: { ...options, ...EVERYWHERE },
    takes: takes ?? (Object.keys(actions).length === 0 ? undefined : Object.keys(actions)),
  };
  const others = Object.entries(actions).map(([action, ofAction]) => ({
    words: [name, action],
    options: { ...ofAction, ...EVERYWHERE },
    takes: undefined,
  }));
  return [own, ...others];
}

/** `--header`, `-H` */
function toFlags([name, { short }]: readonly [string, VerbOption]): readonly string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

export function toBashScript(verbs: readonly Verb[]): string {
  const answer = (takes: Verb['takes']): string => {
    if (takes === 'file') return 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))';
    return takes === undefined ? ':' : `COMPREPLY=($(compgen -W '${takes.join(' ')}' -- "$cur"))`;
  };
  const places = verbs.flatMap(toPlaces);
  const values = places.flatMap(({ words, options }) =>
    Object.entries(options)
      .filter(([, { type }]) => type === 'string')
      .flatMap((option) =>
        toFlags(option).map(
          (flag) => `    '${words.join(' ')} ${flag}') ${answer(option[1].values)}; return ;;`,
        ),
      ),
  );
  const own = places.flatMap(({ words, options, takes }) => {
    const flags = Object.entries(options).flatMap(toFlags).join(' ');
    return [
      `    '${words.join(' ')}')`,
      `      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$cur"))`,
      `      else ${answer(takes)}; fi ;;`,
    ];
  });
  const withActions = verbs.filter(({ actions }) => actions !== undefined);
  const names = [...verbs.map(({ name }) => name), ...AT_THE_TOP].join(' ');
  return `# Completion of meshgate for bash: source <(meshgate completion bash)
_meshgate() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} place=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${names}' -- "$cur"))
    return
  fi
  case $place in
    ${withActions.map(({ name }) => name).join(' | ')}) ((COMP_CWORD > 2)) && place+=" \${COMP_WORDS[2]}" ;;
  esac
  case "$place $prev" in
${values.join('\n')}
  esac
  case $place in
${own.join('\n')}
  esac
}
complete -F _meshgate meshgate
`;
}

export function toZshScript(verbs: readonly Verb[]): string {
  const answer = (takes: Verb['takes']): string => {
    if (takes === 'file') return '_files';
    return takes === undefined ? ' ' : `(${takes.join(' ')})`;
  };
  const specs = ({ options, takes }: Place): string => {
    const flags = Object.entries(options).flatMap((option) =>
      toFlags(option).map((flag) => {
        const [, { type, multiple = false, values }] = option;
        const value = type === 'string' ? `:value:${answer(values)}` : '';
        return `'${multiple ? '*' : ''}${flag}${value}'`;
      }),
    );
    return [...flags, `'*:argument:${answer(takes)}'`].join(' ');
  };
  const ofVerb = (verb: Verb): string => {
    const [own, ...actions] = toPlaces(verb);
    if (actions.length === 0) return `    ${verb.name}) _arguments ${specs(own!)} ;;`;
    const cases = actions.map(
      (place) =>
        `        ${place.words[1]}) shift words; ((CURRENT--)); _arguments ${specs(place)} ;;`,
    );
    return `    ${verb.name})
      if ((CURRENT == 2)); then _values action ${Object.keys(verb.actions!).join(' ')}; return; fi
      case $words[2] in
${cases.join('\n')}
      esac ;;`;
  };
  const names = verbs.map(({ name, summary }) => `    '${name}:${toQuoted(summary)}'`);
  return `#compdef meshgate
# Completion of meshgate for zsh: source <(meshgate completion zsh)
_meshgate() {
  local -a verbs=(
${names.join('\n')}
  )
  if ((CURRENT == 2)); then _describe verb verbs; return; fi
  shift words; ((CURRENT--))
  case $words[1] in
${verbs.map(ofVerb).join('\n')}
  esac
}
if [[ $funcstack[1] == _meshgate ]]; then _meshgate "$@"; else compdef _meshgate meshgate; fi
`;
}

export function toFishScript(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap((verb) => [
    `complete -c meshgate -n __fish_use_subcommand -a ${verb.name} -d '${toQuoted(verb.summary)}'`,
    ...toPlaces(verb).flatMap((place) => toFishLines(place, verb)),
  ]);
  return `# Completion of meshgate for fish: meshgate completion fish | source
complete -c meshgate -f
${lines.join('\n')}
`;
}

function toFishLines({ words, options, takes }: Place, { actions }: Verb): readonly string[] {
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  const isOpen = actions !== undefined && words.length === 1;
  const before = isOpen
    ? `${seen}; and not __fish_seen_subcommand_from ${Object.keys(actions).join(' ')}`
    : seen;
  const begin = `complete -c meshgate -n '${before}'`;
  const flags = Object.entries(options).map(([name, { type, short, values }]) => {
    const brief = short === undefined ? '' : ` -s ${short}`;
    const value = type === 'boolean' ? '' : values === 'file' ? ' -r -F' : ' -x';
    const choice = typeof values === 'object' ? ` -a '${values.join(' ')}'` : '';
    return `${begin} -l ${name}${brief}${value}${choice}`;
  });
  if (takes === undefined) return flags;
  return [...flags, takes === 'file' ? `${begin} -F` : `${begin} -a '${takes.join(' ')}'`];
}

/** Between single quotes of a shell; zsh reads a colon as the end of a name. */
function toQuoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll(':', '\\:');
}
