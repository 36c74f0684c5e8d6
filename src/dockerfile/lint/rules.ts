/** What is known of a lint rule beside when it fires. */
export interface LintRule {
  /** What the rule asks for, in BuildKit's words: tools find rules by them. */
  readonly description: string;
  /** Fires only where `experimental` asks for it (N31). */
  readonly experimental?: true;
  /** It has no page of its own. */
  readonly undocumented?: true;
  /** Whether `varve lint --fix` can put it right; `unsafe` changes the image, and needs `--unsafe-fixes`. */
  readonly fix?: "safe" | "unsafe";
}

/** Every rule (N01 to N22) by BuildKit's name for it. (`frontend/dockerfile/linter/ruleset.go`) */
export const lintRules = {
  StageNameCasing: { description: "Stage names should be lowercase", fix: "safe" },
  FromAsCasing: { description: "The 'as' keyword should match the case of the 'from' keyword", fix: "safe" },
  NoEmptyContinuation: { description: "Empty continuation lines will become errors in a future release", fix: "safe" },
  ConsistentInstructionCasing: {
    description: "All commands within the Dockerfile should use the same casing (either upper or lower)",
    fix: "safe",
  },
  DuplicateStageName: { description: "Stage names should be unique" },
  ReservedStageName: { description: "Reserved words should not be used as stage names" },
  JSONArgsRecommended: {
    description: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
  },
  MaintainerDeprecated: {
    description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    fix: "unsafe",
  },
  UndefinedArgInFrom: { description: "FROM command must use declared ARGs" },
  WorkdirRelativePath: {
    description:
      "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
  },
  UndefinedVar: { description: "Variables should be defined before their use" },
  MultipleInstructionsDisallowed: {
    description: "Multiple instructions of the same type should not be used in the same stage",
  },
  LegacyKeyValueFormat: {
    description: "Legacy key/value format with whitespace separator should not be used",
    fix: "safe",
  },
  InvalidBaseImagePlatform: {
    description: "Base image platform does not match expected target platform",
    undocumented: true,
  },
  RedundantTargetPlatform: {
    description: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
  },
  SecretsUsedInArgOrEnv: { description: "Sensitive data should not be used in the ARG or ENV commands" },
  InvalidDefaultArgInFrom: { description: "Default value for global ARG results in an empty or invalid base image name" },
  FromPlatformFlagConstDisallowed: { description: "FROM --platform flag should not use a constant value" },
  CopyIgnoredFile: { description: "Attempting to Copy file that is excluded by .dockerignore" },
  InvalidDefinitionDescription: {
    description:
      "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
    experimental: true,
  },
  ExposeProtoCasing: { description: "Protocol in EXPOSE instruction should be lowercase", fix: "safe" },
  ExposeInvalidFormat: {
    description:
      "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    fix: "safe",
  },
} as const satisfies Record<string, LintRule>;

export type LintRuleName = keyof typeof lintRules;

/** The rule of a name; undefined for warnings that are no lint. */
export function findLintRule(name: string): LintRule | undefined {
  return Object.hasOwn(lintRules, name) ? lintRules[name as LintRuleName] : undefined;
}

/** Where Docker explains a rule; undefined for those without a page. */
export function lintRuleUrl(name: LintRuleName): string | undefined {
  const rule: LintRule = lintRules[name];
  if (rule.undocumented === true) return undefined;
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z][a-z]+/g) ?? [];
  return `https://docs.docker.com/go/dockerfile/rule/${words.join("-").toLowerCase()}/`;
}
