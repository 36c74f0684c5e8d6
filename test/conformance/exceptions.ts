/** A difference that stays, with the reason why BuildKit's way is not ours. */
export interface Exception {
  /** Names of cases; all where absent. */
  readonly cases?: readonly string[];
  /** The place of the difference, as the report prints it. */
  readonly place: RegExp;
  readonly why: string;
}

export const exceptions: readonly Exception[] = [
  {
    cases: ["copy-chmod-octal", "copy-chmod-777-parents"],
    place: /^\/(4|new|new\/dir|new\/dir\/5|n1|n1\/n2|n3) mode$/,
    why: "the Docker Engine makes folders under its own umask 022, whatever --chmod says; buildkitd has umask 0, and so has Varve",
  },
  {
    cases: ["copy-parents-missing", "copy-parents-through-symlink"],
    place: /^refusal$/,
    why: "BuildKit's newer solvers refuse a missing source of --parents; the engine's solver does not know the rule yet and copies nothing",
  },
];
