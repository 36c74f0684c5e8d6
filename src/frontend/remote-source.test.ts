import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfile } from "../dockerfile/index.ts";
import { isVarveError } from "../errors/index.ts";
import { loadGraph, type FileCopy, type Graph } from "../llb/index.ts";
import { compileDockerfile, remoteContext, type FrontendOptions } from "./index.ts";

const options: FrontendOptions = {
  buildPlatform: { os: "linux", architecture: "amd64" },
  resolveImage: async () => assert.fail("nothing is asked of a registry"),
};

async function compile(text: string, more: Partial<FrontendOptions> = {}): Promise<Graph> {
  const { dockerfile } = parseDockerfile(text, { file: "Dockerfile" });
  const { definition } = await compileDockerfile(dockerfile, { ...options, ...more }, { signal: new AbortController().signal });
  return loadGraph(definition);
}

interface Source {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly name: string | undefined;
}

function sourcesOf(graph: Graph): Source[] {
  return [...graph.vertices.values()].flatMap(({ op, metadata }) =>
    op.kind === "source" ? [{ ...op.source, name: metadata.description["llb.customname"] }] : [],
  );
}

function copiesOf(graph: Graph): FileCopy[] {
  return [...graph.vertices.values()].flatMap(({ op }) =>
    op.kind === "file" ? op.file.actions.flatMap((action) => (action.kind === "copy" ? [action.copy] : [])) : [],
  );
}

async function messageOf(line: string): Promise<string> {
  try {
    await compile(`FROM scratch\n${line}`);
  } catch (error) {
    assert.ok(isVarveError(error), String(error));
    assert.equal(error.where?.startLine, 2, error.message);
    return error.message;
  }
  return "accepted";
}

const digest = `sha256:${"a".repeat(64)}`;
const secrets = { "git.authheadersecret": "GIT_AUTH_HEADER", "git.authtokensecret": "GIT_AUTH_TOKEN" };

test("C14 ADD of a URL is an http source and a copy of its one file, not unpacked unless asked", async () => {
  const graph = await compile("FROM scratch\nARG V=2\nADD --chmod=640 --chown=1:2 http://h/a/b$V.tar?x#y /d/");
  assert.deepEqual(sourcesOf(graph), [
    {
      identifier: "http://h/a/b2.tar?x#y",
      attrs: { "http.filename": "b2.tar" },
      name: "[1/1] ADD --chmod=640 --chown=1:2 http://h/a/b2.tar?x#y /d/",
    },
  ]);
  const [copy] = copiesOf(graph);
  assert.deepEqual(
    [copy?.src, copy?.dest, copy?.mode, copy?.attemptUnpack, copy?.allowWildcard],
    ["/b2.tar", "/d/", 0o640, false, false],
  );
  assert.equal(copiesOf(await compile("FROM scratch\nADD --unpack=true http://h/a.tar /"))[0]?.attemptUnpack, true);
  assert.equal(sourcesOf(await compile("FROM scratch\nADD http://h /"))[0]?.attrs["http.filename"], "__unnamed__");
});

test("C15 a checksum goes to the one source that it is for", async () => {
  const [source] = sourcesOf(await compile(`FROM scratch\nARG C=${digest}\nADD --checksum=$C http://h/x /`));
  assert.equal(source?.attrs["http.checksum"], digest);
  assert.match(await messageOf("ADD --checksum=sha256:12 http://h/x /"), /is not a digest/);
  assert.equal(
    await messageOf(`ADD --checksum=${digest} http://h/x http://h/y /d/`),
    "checksum can't be specified for multiple sources",
  );
  assert.equal(await messageOf(`ADD --checksum=${digest} file /`), "checksum requires HTTP(S) or Git sources");
  const [repository] = sourcesOf(await compile("FROM scratch\nADD --checksum=abc https://h/x.git /"));
  assert.equal(repository?.attrs["git.checksum"], "abc");
  assert.equal(await messageOf("ADD --checksum=abc https://h/x.git?checksum=abd /"), 'checksum mismatch "abc" != "abd"');
});

test("C17 L23 ADD of a repository names host and path, and how to go there", async () => {
  const graph = await compile("FROM scratch\nADD --keep-git-dir=true git@h.example:a/b.git#v1:d/e /x");
  assert.deepEqual(
    sourcesOf(graph).map(({ identifier, attrs }) => ({ identifier, attrs })),
    [
      {
        identifier: "git://h.example/a/b.git#v1:d/e",
        attrs: { ...secrets, "git.fullurl": "git@h.example:a/b.git", "git.keepgitdir": "true", "git.mountsshsock": "default" },
      },
    ],
  );
  const [copy] = copiesOf(graph);
  assert.deepEqual([copy?.src, copy?.dest, copy?.dirCopyContents, copy?.followSymlink], ["/", "/x", false, false]);
  const [web] = sourcesOf(
    await compile("FROM scratch\nADD https://u:p@h/x.git?branch=b&submodules=0&fetch-by-commit&keep-git-dir=0&mtime=commit /x"),
  );
  assert.deepEqual(web?.identifier, "git://h/x.git#refs/heads/b");
  assert.deepEqual(web.attrs, {
    ...secrets,
    "git.fullurl": "https://u:p@h/x.git",
    "git.skipsubmodules": "true",
    "git.fetchbycommit": "true",
  });
  assert.equal(
    await messageOf("ADD --keep-git-dir=true https://h/x.git?keep-git-dir=false /"),
    "inconsistent keep-git-dir configuration",
  );
  assert.match(await messageOf("ADD https://h/x.git?nope=1 /"), /unexpected query/);
  assert.deepEqual(
    sourcesOf(await compile("FROM scratch\nADD github.com/a/b /x")).map(({ identifier }) => identifier),
    ["local://context"],
  );
});

test("C14 sources of all kinds stand in one ADD, and nothing of the context is read for remote ones", async () => {
  const sources = sourcesOf(await compile("FROM scratch\nADD --link http://h/x https://h/y.git local /d/"));
  assert.deepEqual(sources.map(({ identifier }) => identifier).sort(), ["git://h/y.git", "http://h/x", "local://context"]);
  assert.equal(sources.find(({ identifier }) => identifier.startsWith("local"))?.attrs["local.followpaths"], '["local"]');
  assert.equal(sourcesOf(await compile("FROM scratch\nADD http://h/x /")).length, 1);
});

test("C18 COPY of a URL or a repository is refused", async () => {
  assert.equal(await messageOf("COPY http://h/x /"), "source can't be a URL for COPY");
  assert.equal(await messageOf("COPY https://h/x.git /"), "source can't be a git ref for COPY");
});

test("X03 X04 A10 a remote context takes the place of the local one", async () => {
  const git = remoteContext("https://h/x.git#main:sub", { keepGitDir: true }) ?? assert.fail();
  assert.equal(git.kind, "git");
  const [source, ...more] = sourcesOf(await compile("FROM scratch\nCOPY a b c/", { context: git }));
  assert.deepEqual(source, {
    identifier: "git://h/x.git#main:sub",
    attrs: { ...secrets, "git.fullurl": "https://h/x.git", "git.keepgitdir": "true" },
    name: "[internal] load git source https://h/x.git#main:sub",
  });
  assert.equal(more.length, 0);
  assert.equal(remoteContext("github.com/a/b", {})?.kind, "git");
  const http = remoteContext("http://h/x.tar.gz", {}) ?? assert.fail();
  assert.ok(http.kind === "http");
  const graph = await compile("FROM scratch\nCOPY a b", { context: { ...http, unpack: true } });
  assert.deepEqual(sourcesOf(graph), [
    { identifier: "http://h/x.tar.gz", attrs: { "http.filename": "context" }, name: "[internal] load remote build context" },
  ]);
  assert.deepEqual(
    copiesOf(graph).map(({ src, attemptUnpack }) => [src, attemptUnpack]),
    [
      ["/context", true],
      ["/a", false],
    ],
  );
  assert.equal(remoteContext("folder", {}), undefined);
  assert.equal(remoteContext("ftp://h/x", {}), undefined);
});
