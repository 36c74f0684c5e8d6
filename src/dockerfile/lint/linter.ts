import { VarveError, type SourceRange } from "../../errors/index.ts";
import { defaultLintOptions, parseLintOptions, type LintOptions } from "./options.ts";
import { lintRules, lintRuleUrl, type LintRule, type LintRuleName } from "./rules.ts";

/** A rule that fired. */
export interface LintWarning {
  readonly rule: LintRuleName;
  /** What is doubtful here. */
  readonly message: string;
  readonly where: SourceRange;
  /** What the rule asks for. */
  readonly description: string;
  /** Where it is explained; undefined for rules without a page. */
  readonly url: string | undefined;
}

/** Takes what the rules find and leaves out what is not wanted. One for a whole build, from parsing to compiling. */
export interface Linter {
  /** What fired so far, in order. */
  readonly warnings: readonly LintWarning[];
  /** Says that a rule fires at a place. Nothing happens where the rule is switched off. */
  readonly run: (rule: LintRuleName, message: string, where: SourceRange) => void;
  /** The same linter with what the first `# check=` comment above an instruction adds (N34). A bad comment adds nothing. */
  readonly within: (comments: readonly string[]) => Linter;
  /** Throws DOCKERFILE_LINT when a rule has fired and `error=true` was asked for (N32). */
  readonly refuse: () => void;
}

/** Makes a linter. `onWarning` hears of each warning at once: a later error would lose them otherwise. */
export function createLinter(
  options: LintOptions = defaultLintOptions,
  { onWarning }: { readonly onWarning?: ((warning: LintWarning) => void) | undefined } = {},
): Linter {
  const warnings: LintWarning[] = [];
  return createScope(options, {
    warnings,
    add(warning) {
      warnings.push(warning);
      onWarning?.(warning);
    },
    refuse() {
      const [first] = warnings;
      if (!options.error || first === undefined) return;
      const rules = [...new Set(warnings.map(({ rule }) => rule))];
      throw new VarveError("DOCKERFILE_LINT", `lint violation found for rules: ${rules.join(", ")}`, {
        where: first.where,
        hint: "error=true of the check options makes warnings fail the build",
        details: { rules },
      });
    },
  });
}

interface Collector extends Pick<Linter, "warnings" | "refuse"> {
  readonly add: (warning: LintWarning) => void;
}

function createScope(options: LintOptions, collector: Collector): Linter {
  const linter: Linter = {
    warnings: collector.warnings,
    refuse: collector.refuse,
    run(rule, message, where) {
      const { description, experimental }: LintRule = lintRules[rule];
      const listed = (list: LintOptions["skip"]): boolean => list === "all" || list.includes(rule);
      if (experimental === true ? !listed(options.experimental) : listed(options.skip)) return;
      collector.add({ rule, message, where, description, url: lintRuleUrl(rule) });
    },
    within(comments) {
      const added = readCheckComment(comments);
      if (added === undefined) return linter;
      const both = (key: "skip" | "experimental"): LintOptions["skip"] => {
        const [old, more] = [options[key], added[key]];
        return old === "all" || more === "all" ? "all" : [...old, ...more];
      };
      return createScope({ skip: both("skip"), experimental: both("experimental"), error: options.error }, collector);
    },
  };
  return linter;
}

/** The options of the first comment that reads as a `check` directive: the value ends at a blank. */
function readCheckComment(comments: readonly string[]): LintOptions | undefined {
  for (const comment of comments) {
    const value = /^check[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$/i.exec(comment)?.[1];
    if (value === undefined) continue;
    try {
      return parseLintOptions(value.split(" ")[0] ?? "", { name: "check options" });
    } catch (error) {
      if (error instanceof VarveError) return undefined;
      throw error;
    }
  }
  return undefined;
}
