/**
 * Splits one line of comma-separated fields (RFC 4180, section 2): a field in double quotes may hold commas, and `""`
 * for a quote. Answers a message when quotes are wrong or the line is empty.
 */
export function splitCsv(line: string): readonly string[] | { readonly problem: string } {
  if (line === "") return { problem: "it is empty" };
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    if (line[at] !== '"') {
      const end = line.indexOf(",", at) === -1 ? line.length : line.indexOf(",", at);
      const field = line.slice(at, end);
      if (field.includes('"')) return { problem: 'a bare " stands in an unquoted field' };
      fields.push(field);
      at = end + 1;
      continue;
    }
    const quoted = /"((?:[^"]|"")*)"(,|$)/y;
    quoted.lastIndex = at;
    const match = quoted.exec(line);
    if (match === null) return { problem: 'a quoted field has an extra or missing "' };
    fields.push(match[1]!.replaceAll('""', '"'));
    if (match[2] === "") return fields;
    at = quoted.lastIndex;
  }
  return fields;
}
