/** A table as Docker Compose prints it: columns `gap` blanks apart and at least `minWidth` wide, which the commands choose each for itself. */
export function composeTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { minWidth, gap = 3 }: { readonly minWidth: number; readonly gap?: number },
): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(minWidth, ...all.map((row) => (row[column]?.length ?? 0) + gap)));
  return all
    .map(
      (row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("")}\n`,
    )
    .join("");
}
