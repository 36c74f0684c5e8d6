import { formatTable } from "./table.ts";
import { toJson } from "./go-value.ts";
import { compileTemplate } from "./template.ts";

/** A list that a command prints: as a table, as JSON, or by a template. */
export interface Listing<Row extends object> {
  readonly rows: readonly Row[];
  /** The heading of each field. */
  readonly headings: Readonly<Record<string, string>>;
  /** The fields of the table that is printed when nothing else is asked for. */
  readonly columns: readonly (keyof Row & string)[];
  /** What `{{json .}}` says of a row. Default: the row with its keys in order. */
  readonly jsonOf?: (row: Row) => object;
}

/**
 * Reads the `--format` of a list, before anything is looked up: nothing or `table`, `table TEMPLATE` (with headings), `json`, or a
 * template for each row. (docker docs, "Format command and log output")
 */
export function compileListing<Row extends object>(format: string | undefined): (listing: Listing<Row>) => string {
  const given = format ?? "table";
  if (given === "table") return plainTable;
  if (!given.startsWith("table ")) {
    compileTemplate(given);
    return ({ rows, jsonOf = sortedKeys<Row> }) => {
      // {{json .}} is the row as a whole, whose form may be another than that of its fields.
      const render = compileTemplate(given, {
        json: (value) => (rows.includes(value as Row) ? goJson(jsonOf(value as Row)) : toJson(value)),
      });
      return rows.map((row) => `${render(row)}\n`).join("");
    };
  }
  const template = given.slice("table ".length).trim();
  const render = compileTemplate(template);
  const renderHeadings = compileTemplate(template, {
    json: (text) => text,
    truncate: (text) => text,
    split: (text) => text,
    join: (text) => text,
  });
  return ({ rows, headings }) =>
    formatTable(
      renderHeadings(headings).split("\t"),
      rows.map((row) => render(row).split("\t")),
    );
}

function plainTable<Row extends object>({ rows, headings, columns }: Listing<Row>): string {
  const cells = (row: Row): readonly string[] => columns.map((name) => String(row[name]));
  return formatTable(
    columns.map((name) => headings[name] ?? ""),
    rows.map(cells),
  );
}

/** With the escapes that Go's encoder makes for the sake of HTML. */
function goJson(value: object): string {
  return JSON.stringify(value).replace(/[<>&]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function sortedKeys<Row extends object>(row: Row): object {
  return Object.fromEntries(Object.entries(row).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
