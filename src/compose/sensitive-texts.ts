/** What looks like a secret in a text: its kind, and the line that it stands in, from 1. */
export interface SensitiveText {
  readonly kind: string;
  readonly line: number;
}

const patterns: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ["AWS Client ID", /\b(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}\b/],
  ["AWS Secret Key", /aws.{0,20}["'= :][0-9a-zA-Z/+]{40}\b/i],
  ["Github authentication", /\bgh[pousr]_[0-9a-zA-Z]{36}\b/],
  ["JSON Web Token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/],
  ["Private Key", /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY/],
  ["Password in URL", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@$]*:[^\s/:@$]+@/i],
];

/** Looks for keys and tokens whose form is known; what only its name tells (`PASSWORD=`) is not found. */
export function findSensitiveTexts(text: string): readonly SensitiveText[] {
  return text
    .split("\n")
    .flatMap((line, index) => patterns.flatMap(([kind, pattern]) => (pattern.test(line) ? [{ kind, line: index + 1 }] : [])));
}
