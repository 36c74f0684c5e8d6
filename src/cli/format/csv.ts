import { VarveError } from "../../errors/index.ts";

/** The fields of one line of CSV: commas separate, `"…"` around a whole field keeps them, `""` in it is a quote. (RFC 4180) */
export function splitCsv(line: string, flag: string): readonly string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let field = "";
      for (at++; ; at++) {
        if (at >= line.length)
          throw new VarveError("USAGE", `invalid argument for "${flag}" flag: a quote is not closed in ${line}`);
        if (line[at] !== '"') field += line[at];
        else if (line[at + 1] === '"') {
          field += '"';
          at++;
        } else break;
      }
      at++;
      fields.push(field);
      if (at < line.length && line[at] !== ",")
        throw new VarveError("USAGE", `invalid argument for "${flag}" flag: text after a closing quote in ${line}`);
    } else {
      const comma = line.indexOf(",", at);
      const end = comma < 0 ? line.length : comma;
      const field = line.slice(at, end);
      if (field.includes('"'))
        throw new VarveError("USAGE", `invalid argument for "${flag}" flag: a quote inside a bare field in ${line}`);
      fields.push(field);
      at = end;
    }
    if (at >= line.length) return fields;
    at++;
  }
}
