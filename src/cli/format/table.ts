const minWidth = 10;
const gap = 3;

/** A table as Docker prints it: columns at least ten wide and three blanks apart; the last one is not padded. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(minWidth, ...all.map((row) => (row[column]?.length ?? 0) + gap)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("");
  return all.map((row) => `${line(row)}\n`).join("");
}

/** Cut to `width` characters, the last one an ellipsis. */
export function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** The first twelve digits of an ID: how tables name images. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}
