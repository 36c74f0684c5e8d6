import assert from "node:assert/strict";
import { test } from "node:test";
import { compileListing } from "./listing.ts";
import { compileTemplate } from "./template.ts";

const value = {
  Id: "sha256:abcdef",
  Tags: ["a:1", "b:2"],
  Size: 1234,
  Empty: [],
  Labels: new Map([
    ["z", "last"],
    ["org.example.name", "first"],
  ]),
};

const cases: Readonly<Record<string, string>> = {
  "{{.Id}}\\t{{ .Size }}": "sha256:abcdef\t1234",
  '{{join .Tags ", "}}': "a:1, b:2",
  "{{upper .Id | lower | json}}": '"sha256:abcdef"',
  '{{title "hello world"}} {{pad .Id 1 2}}|{{truncate .Id 6}}|{{index (split .Id ":") 1}}':
    "Hello World  sha256:abcdef  |sha256|abcdef",
  "{{range $i, $tag := .Tags}}{{if $i}},{{end}}{{$tag}}{{else}}none{{end}}": "a:1,b:2",
  "{{range .Empty}}x{{else}}none{{end}}": "none",
  '{{range .Tags}}{{if eq . "b:2"}}{{break}}{{end}}[{{.}}]{{end}}': "[a:1]",
  "{{range $key, $value := .Labels}}{{$key}}={{$value}};{{end}}": "org.example.name=first;z=last;",
  '{{index .Labels "org.example.name"}} {{.Labels.nope}}': "first <no value>",
  "{{with .Labels}}{{.z}}{{end}}{{with .Empty}}x{{else}}y{{end}}": "lasty",
  "a {{- /* gone */ -}} b{{- .Size -}} c": "ab1234c",
  "{{if and (gt .Size 1000) (not .Empty)}}large{{else if .Empty}}x{{else}}small{{end}}": "large",
  '{{printf "%-6s|%6d|%q|%.2f|%x" "ab" .Size "q" 1.5 255}}': 'ab    |  1234|"q"|1.50|ff',
  "{{$x := 1}}{{range .Tags}}{{$x = len .}}{{end}}{{$x}}": "3",
  "{{println .Id}}": "sha256:abcdef\n",
  "{{json .Labels}} {{.Labels}}": '{"org.example.name":"first","z":"last"} map[org.example.name:first z:last]',
  "{{len .Tags}} {{slice .Id 7 10}} {{.Tags}}": "2 abc [a:1 b:2]",
  '{{"}}"}}{{`raw\\n`}}': "}}raw\\n",
};

for (const [template, text] of Object.entries(cases))
  test(`the template ${template} is as in Go`, () => assert.equal(compileTemplate(template)(value), text));

test("templates that are none are refused before anything is looked up", () => {
  for (const bad of ["{{", "{{end}}", "{{if .X}}", "{{nope .X}}", "{{}}", "{{.X | }}", '{{"a}}', "{{(.X}}", "{{break}}"])
    assert.throws(() => compileTemplate(bad), { code: "USAGE" }, bad);
  assert.throws(() => compileTemplate('{{define "x"}}{{end}}'), { code: "NOT_SUPPORTED_YET" });
  for (const bad of ["{{.Nope}}", "{{$x}}", "{{join .Id 1}}", "{{index .Tags 7}}", "{{lt .Id 1}}"])
    assert.throws(() => compileTemplate(bad)(value), { code: "USAGE" }, bad);
});

test("lists are printed as a table, as a table of one's own, as JSON, or row by row", () => {
  const list = { rows: [{ Name: "one", ID: "1" }], headings: { Name: "NAME", ID: "IMAGE ID" }, columns: ["Name", "ID"] as const };
  const print = (format?: string) => compileListing<(typeof list.rows)[number]>(format)(list);
  assert.equal(print(), "NAME      IMAGE ID\none       1\n");
  assert.equal(print("table {{.ID}}\\t{{upper .Name}}"), "IMAGE ID   NAME\n1          ONE\n");
  assert.equal(print("json"), '{"ID":"1","Name":"one"}\n');
  assert.equal(print("{{.Name}}!"), "one!\n");
  assert.throws(() => print("{{.Nope}}"), { code: "USAGE" });
});
