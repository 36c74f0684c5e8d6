/** A difference that stays, with the reason why BuildKit's way is not ours. */
export interface Exception {
  /** Names of cases; all where absent. */
  readonly cases?: readonly string[];
  /** The place of the difference, as the report prints it. */
  readonly place: RegExp;
  readonly why: string;
}

export const exceptions: readonly Exception[] = [];
