import { lintRules, lintRuleUrl, type LintRule, type LintRuleName } from "../src/dockerfile/index.ts";

/** The page docs/lint.md: what the linter does, and its rules from the table that it works by. */
export function lintReference(): string {
  return `# Lint

Varve has BuildKit's lint rules, with their names and their words, and three ways to ask for them. The rules below are made
from \`src/dockerfile/lint/rules.ts\` by \`npm run docs\`; \`test/conformance/lint.ts\` compares what fires where with a Docker
engine.

| | looks at | base images | result |
|---|---|---|---|
| \`varve build\` | the stages that are built | resolved for the build | warnings at the end, whole with \`--debug\` |
| \`varve build --check\` | all stages, or what \`--target\` needs | asked of the store and the registries | as \`docker build --check\`; \`--call=check,format=json\` for programs |
| \`varve lint FILE…\` | the same | not asked: works offline and in milliseconds | text, \`--format json\`, \`sarif\` (2.1.0) or \`github\` annotations |

The two that do not build end with exit code 1 when anything is found, an error of the Dockerfile included;
\`--call=check,ignorestatus=true\` lets warnings pass.

Without base images \`varve lint\` does not know what they set: in stages on an image UndefinedVar then fires only for names
that look like a typing error of a known one, and InvalidBaseImagePlatform never. \`--base-images\` asks as \`--check\` does.
The ignore file is the one beside the Dockerfile. \`-\` reads stdin; \`--stdin-filename\` gives it a name.

## Rules

| rule | asks for | \`--fix\` |
|---|---|---|
${ruleRows()}

"on demand" rules fire only where \`experimental\` asks for them.

## Options

The directive \`# check=\` at the top of a Dockerfile, or the build argument \`BUILDKIT_DOCKERFILE_CHECK\`, which takes its
place:

    # check=skip=StageNameCasing,FromAsCasing;error=true

| option | effect |
|---|---|
| \`skip=A,B\` or \`skip=all\` | these rules do not fire; \`all\` leaves those on demand that are asked for |
| \`experimental=A,B\` or \`experimental=all\` | these rules on demand fire |
| \`error=true\` | a build with any warning fails |

Options are parted by semicolons, names by commas, without blanks. Names are case-sensitive; unknown ones are taken. A comment
\`# check=skip=…\` or \`# check=experimental=…\` directly above an instruction holds for that one, in addition. It has no say in
rules about the file as a whole: DuplicateStageName, ReservedStageName, ConsistentInstructionCasing, NoEmptyContinuation,
InvalidDefaultArgInFrom and InvalidBaseImagePlatform.

## Fixes

\`varve lint --fix\` changes what a "yes" stands for above, where it is certain that the file builds what it built: same graph,
same cache keys, same image, same history. Everything else stays as it is to the byte: blanks, comments, continuations, line
ends. What is left is reported. \`--unsafe-fixes\` adds what changes the image: MAINTAINER becomes the label
\`org.opencontainers.image.authors\`. Of stdin, the fixed file goes to stdout and the findings to stderr.
`;
}

function ruleRows(): string {
  return (Object.keys(lintRules) as LintRuleName[])
    .map((name) => {
      const { description, experimental, fix }: LintRule = lintRules[name];
      const url = lintRuleUrl(name);
      const shown = url === undefined ? name : `[${name}](${url})`;
      return `| ${shown} | ${description.replaceAll("|", "\\|")}${experimental === true ? " (on demand)" : ""} | ${fix === undefined ? "" : fix === "safe" ? "yes" : "unsafe"} |`;
    })
    .join("\n");
}
