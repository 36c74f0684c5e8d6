import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { isHttpUrl, lastPathPart, parseGitReference } from "./remote-url.ts";

/** What differs from a plain reference to the repository. */
function read(text: string): Record<string, unknown> | undefined {
  const reference = parseGitReference(text);
  if (reference === undefined) return undefined;
  const { remote, ...rest } = reference;
  const told = Object.entries(rest).filter(
    ([key, value]) => !["scheme", "host", "path"].includes(key) && value !== "" && value !== undefined && value !== false,
  );
  return { remote, ...Object.fromEntries(told) };
}

function refused(text: string): string {
  try {
    parseGitReference(text);
  } catch (error) {
    assert.ok(isVarveError(error) && error.code === "GIT_URL_INVALID");
    return error.message;
  }
  return "accepted";
}

test("X04 the forms of a Git URL are recognised, and nothing else is", () => {
  const gits: [string, string, string][] = [
    ["https://example.com/a/b.git", "https", "example.com"],
    ["HTTPS://example.com/a/b.git", "https", "example.com"],
    ["http://user:secret@example.com:8080/b.git", "http", "example.com:8080"],
    ["git://example.com/b", "git", "example.com"],
    ["ssh://git@example.com:22/b", "ssh", "example.com:22"],
    ["git@example.com:a/b", "ssh", "example.com"],
    ["deploy-1@host.example:b.git#main", "ssh", "host.example"],
    ["github.com/org/repo", "https", "github.com"],
    ["git://[::1]:9418/b", "git", "[::1]:9418"],
  ];
  for (const [text, scheme, host] of gits) {
    const reference = parseGitReference(text);
    assert.equal(reference?.scheme, scheme, text);
    assert.equal(reference.host, host, text);
    assert.equal(reference.looksLocal, text.startsWith("github.com/"), text);
  }
  const others = [
    "https://example.com/b",
    "https://example.com/b.git/x",
    "ftp://example.com/b.git",
    "./git@host:x",
    "../a.git",
    "folder/x.git",
    "",
    "file:///srv/b.git",
  ];
  for (const text of others) assert.equal(parseGitReference(text), undefined, text);
});

test("X05 a fragment is a ref, a colon and a subfolder", () => {
  assert.deepEqual(read("https://h/x.git#main"), { remote: "https://h/x.git", ref: "main" });
  assert.deepEqual(read("https://h/x.git#main:a/b/"), { remote: "https://h/x.git", ref: "main", subdir: "a/b" });
  assert.deepEqual(read("https://h/x.git#:sub"), { remote: "https://h/x.git", subdir: "sub" });
  assert.deepEqual(read("git@h:x.git#v1.0:./a/../b"), { remote: "git@h:x.git", ref: "v1.0", subdir: "b" });
  assert.deepEqual(read("https://h/x.git#a%2Fb"), { remote: "https://h/x.git", ref: "a/b" });
  assert.match(refused("https://h/x.git#main:../etc"), /leads out of the repository/);
  assert.match(refused("https://h/x.git?subdir=a/../../b"), /leads out of the repository/);
});

test("X06 a query gives every option, and conflicts and unknown keys are errors", () => {
  assert.deepEqual(
    read("https://h/x.git?branch=main&subdir=a&checksum=abc&keep-git-dir&submodules=false&mtime=commit&fetch-by-commit=1"),
    {
      remote: "https://h/x.git",
      ref: "refs/heads/main",
      subdir: "a",
      checksum: "abc",
      keepGitDir: true,
      mtime: "commit",
      fetchByCommit: true,
    },
  );
  assert.equal(parseGitReference("https://h/x.git?submodules=false")?.submodules, false);
  assert.deepEqual(read("git@h:x.git?tag=refs/tags/v1#refs/tags/v1:d"), {
    remote: "git@h:x.git",
    ref: "refs/tags/v1",
    subdir: "d",
  });
  assert.equal(refused("https://h/x.git?ref=a#b"), 'ref conflicts: "b" vs "a"');
  assert.equal(refused("https://h/x.git?subdir=a#b:c"), 'subdir conflicts: "c" vs "a"');
  assert.equal(refused("https://h/x.git?tag=a&branch=b"), "branch conflicts with tag");
  assert.equal(refused("https://h/x.git?checksum=a&commit=b"), 'checksum conflicts: "a" vs "b"');
  assert.equal(refused("https://h/x.git?depth=1"), 'unexpected query "depth"');
  assert.equal(refused("https://h/x.git?ref="), 'query "ref" has no value');
  assert.equal(refused("https://h/x.git?ref=a&ref=b"), 'query "ref" has multiple values');
  assert.equal(refused("https://h/x.git?keep-git-dir=maybe"), 'invalid keep-git-dir value: "maybe"');
  assert.match(refused("https://h/x.git?mtime=now"), /invalid mtime value: "now"/);
});

test("C14 an http URL is a file unless it names a repository; its name is the last part of its path", () => {
  assert.ok(isHttpUrl("http://h/x.tar.gz?a=.git"));
  assert.ok(!isHttpUrl("https://h/x.git"));
  assert.ok(!isHttpUrl("ftp://h/x"));
  assert.equal(lastPathPart("http://h/a/b.txt?q#f"), "b.txt");
  assert.equal(lastPathPart("http://h/a%20b/"), "a b");
  assert.equal(lastPathPart("http://h/"), undefined);
  assert.equal(lastPathPart("http://h"), undefined);
});

test("any text is a reference, no reference, or refused by name", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `https://h/x.git${text}`),
        fc.string().map((text) => `a@b:${text}`),
      ),
      (text) => {
        try {
          const reference = parseGitReference(text);
          if (reference !== undefined) assert.ok(!reference.subdir.split("/").includes(".."));
        } catch (error) {
          assert.ok(isVarveError(error) && error.code === "GIT_URL_INVALID");
        }
      },
    ),
  );
});
