export interface LintException {
  readonly cases: readonly string[];
  /** The question whose answer differs. */
  readonly call: "check" | "outline" | "targets";
  readonly why: string;
}

/** Where Varve's answer is not BuildKit's on purpose. */
export const lintExceptions: readonly LintException[] = [
  {
    cases: ["line-parser-error", "legacy-key-value-bad"],
    call: "check",
    why: "BuildKit forgets the warnings of the lines above an error that its line parser finds; an editor wants them",
  },
  {
    cases: ["only-args"],
    call: "targets",
    why: "a file without any stage is an error also where its targets are listed; BuildKit lists null",
  },
  {
    cases: [
      "comment-above",
      "comment-above-not-for-all",
      "comment-above-experimental",
      "comment-error-is-not-heard",
      "shebang-check",
    ],
    call: "targets",
    why: "the newest frontend crashes when it lists the targets of a file with a check comment above an instruction",
  },
];
