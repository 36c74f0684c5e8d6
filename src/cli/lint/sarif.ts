import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { lintRules, lintRuleUrl, type LintRuleName } from "../../dockerfile/index.ts";
import type { CheckResult } from "../../engine/index.ts";
import type { SourceRange } from "../../errors/index.ts";
import { packageVersion } from "../../package/index.ts";

/** SARIF 2.1.0 (OASIS), for code scanning: one run, a rule for each of the linter's, an error as a result of its code. */
export function formatSarif(results: readonly CheckResult[]): string {
  const names = Object.keys(lintRules) as LintRuleName[];
  const found = results.flatMap(({ warnings, error, source: { file } }) => [
    ...warnings.map(({ rule, message, where }) => ({
      ruleId: rule,
      ruleIndex: names.findIndex((name) => name === rule),
      level: "warning",
      message: { text: message },
      locations: [locationOf(file, where)],
    })),
    ...(error === undefined
      ? []
      : [{ ruleId: error.code, level: "error", message: { text: error.message }, locations: [locationOf(file, error.where)] }]),
  ]);
  const log = {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "varve", version: packageVersion(), rules: names.map(describeRule) } },
        columnKind: "utf16CodeUnits",
        results: found,
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function describeRule(name: LintRuleName): unknown {
  const url = lintRuleUrl(name);
  return {
    id: name,
    name,
    shortDescription: { text: lintRules[name].description },
    ...(url === undefined ? {} : { helpUri: url }),
    defaultConfiguration: { level: "warning" },
  };
}

function locationOf(file: string, where: SourceRange | undefined): unknown {
  const uri = isAbsolute(file) ? pathToFileURL(file).href : file.split("/").map(encodeURIComponent).join("/");
  const region =
    where === undefined
      ? {}
      : {
          region: {
            startLine: where.startLine,
            startColumn: where.startColumn,
            endLine: where.endLine,
            endColumn: where.endColumn,
          },
        };
  return { physicalLocation: { artifactLocation: { uri }, ...region } };
}
