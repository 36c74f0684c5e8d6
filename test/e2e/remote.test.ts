/** ADD of URLs and repositories, and contexts that are fetched: against servers on this machine. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readOciArchive } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { commitSeconds, startGitServer, type GitServer, type Repository } from "../kit/git-server.ts";

interface Page {
  readonly body: string | Buffer;
  readonly modified?: string;
}

const pages: Record<string, Page> = {};
const asked: string[] = [];
const web = createServer((request, response) => {
  const page = pages[request.url ?? ""];
  asked.push(`${request.method} ${request.url} ${request.headers["if-none-match"] ?? ""}`.trim());
  if (page === undefined) return void response.writeHead(404).end();
  const etag = `"${Buffer.from(page.body).toString("hex").slice(0, 40)}"`;
  response.setHeader("etag", etag);
  if (page.modified !== undefined) response.setHeader("last-modified", page.modified);
  if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
  else response.end(page.body);
});
let site: string;
let git: GitServer;
let repository: Repository;

before(async () => {
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  site = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  git = await startGitServer();
  const inner = git.create("inner");
  writeFileSync(join(inner.work, "i"), "inner");
  inner.commit();
  repository = git.create("repo");
  writeFileSync(join(repository.work, "Dockerfile"), "FROM scratch\nCOPY . /all/\n");
  writeFileSync(join(repository.work, ".dockerignore"), "file\n");
  writeFileSync(join(repository.work, "file"), "content", { mode: 0o755 });
  symlinkSync("/etc", join(repository.work, "etc"));
  repository.git("submodule", "--quiet", "add", "--", inner.bare, "in");
  repository.git("config", "--file", ".gitmodules", "submodule.in.url", "../inner.git");
  repository.commit();
});

after(async () => {
  await git[Symbol.asyncDispose]();
  web.closeAllConnections();
  web.close();
});

describeEachWay("remote sources", (box) => {
  const build = async (dockerfile: string, ...args: string[]) =>
    await box.build({ Dockerfile: dockerfile }, ["-o", box.path("out"), ...args]);
  const fails = async (says: RegExp, result: ReturnType<typeof box.varve>) => {
    const { code, stderr } = await result;
    assert.notEqual(code, 0);
    assert.match(stderr, says);
  };
  const out = (name: string) => readFileSync(box.path("out", name), "utf8");

  test("C14 a URL's file is added with its time, asked for again by its ETag, and read anew when it changed", async () => {
    pages["/c14"] = { body: "one", modified: "Wed, 21 Oct 2015 07:28:00 GMT" };
    const dockerfile = `FROM scratch\nADD --chmod=640 ${site}/c14 /d/\n`;
    assert.equal((await build(dockerfile)).code, 0);
    assert.equal(out("d/c14"), "one");
    const { mode, mtimeMs } = statSync(box.path("out/d/c14"));
    assert.deepEqual([mode & 0o7777, mtimeMs], [0o640, Date.parse("2015-10-21T07:28:00Z")]);
    const again = await build(dockerfile);
    assert.match(again.stderr, /CACHED/);
    assert.match(asked.at(-1) ?? "", /^GET \/c14 "/);
    pages["/c14"] = { body: "two" };
    assert.equal((await build(dockerfile)).code, 0);
    assert.equal(out("d/c14"), "two");
    assert.equal(statSync(box.path("out/d/c14")).mtimeMs, 0);
  });

  test("C14 C15 an archive behind a URL is unpacked when asked to; a checksum is kept to", async () => {
    const folder = box.write("packed", { "x/y": "deep" });
    pages["/a.tar.gz"] = { body: execFileSync("tar", ["-czf", "-", "-C", folder, "x"]) };
    assert.equal((await build(`FROM scratch\nADD --unpack=true ${site}/a.tar.gz /u/\nADD ${site}/a.tar.gz /p/\n`)).code, 0);
    assert.equal(out("u/x/y"), "deep");
    assert.ok(existsSync(box.path("out/p/a.tar.gz")));
    await fails(
      /digest mismatch for .*a\.tar\.gz: sha256:.*expected: sha256:0{64}/,
      build(`FROM scratch\nADD --checksum=sha256:${"0".repeat(64)} ${site}/a.tar.gz /p/\n`),
    );
    await fails(/Dockerfile:2[\s\S]*invalid response status 404/, build(`FROM scratch\nADD ${site}/missing /p/\n`));
  });

  test("C17 a repository is added with its submodules, once for one commit", async () => {
    const dockerfile = `FROM scratch\nADD ${repository.url}#main /r/\nADD --keep-git-dir=true ${repository.url}#main /k/\n`;
    assert.equal((await build(dockerfile)).code, 0);
    assert.deepEqual(readdirSync(box.path("out/r")).sort(), [".dockerignore", ".gitmodules", "Dockerfile", "etc", "file", "in"]);
    assert.equal(out("r/in/i"), "inner");
    assert.deepEqual(
      [statSync(box.path("out/r/file")).mode & 0o7777, statSync(box.path("out/r/file")).mtimeMs],
      [0o755, commitSeconds * 1000],
    );
    assert.equal(
      execFileSync("git", ["-c", "safe.directory=*", "-C", box.path("out/k"), "rev-parse", "HEAD"], { encoding: "utf8" }).trim(),
      repository.git("rev-parse", "HEAD"),
    );
    const before = git.requests.length;
    assert.match((await build(dockerfile)).stderr, /CACHED/);
    assert.equal(
      git.requests.slice(before).filter(({ path }) => path.includes("git-upload-pack") && !path.includes("info/refs")).length,
      1,
      "only the refs are asked for, once",
    );
  });

  test("X04 X05 G02 A10 a context is a repository, of which no ignore file hides anything", async () => {
    assert.equal((await box.varve(["build", "-o", box.path("ctx"), `${repository.url}#main`])).code, 0);
    assert.deepEqual(readdirSync(box.path("ctx/all")).sort(), [
      ".dockerignore",
      ".gitmodules",
      "Dockerfile",
      "etc",
      "file",
      "in",
    ]);
    const kept = await box.varve([
      "build",
      "--build-arg",
      "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1",
      "-o",
      box.path("kept"),
      repository.url,
    ]);
    assert.equal(kept.code, 0, kept.stderr);
    assert.ok(existsSync(box.path("kept/all/.git/HEAD")));
    const text = await box.varve(["build", "-f", "-", "-o", box.path("sub"), `${repository.url}#:in`], {
      input: "FROM scratch\nCOPY i /\n",
    });
    assert.equal(text.code, 0, text.stderr);
    assert.deepEqual(readdirSync(box.path("sub")), ["i"]);
  });

  test("X04 options, climbing and links in a context's name are refused", async () => {
    const context = (text: string) => box.varve(["build", `${repository.url}${text}`]);
    await fails(/invalid git ref "--upload-pack=x"/, context("#--upload-pack=x"));
    await fails(/invalid git ref "-x"/, context("#-x:in"));
    await fails(/leads out of the repository/, context("#main:../x"));
    await fails(/subfolder "etc" leads through something that is no folder/, context("#main:etc"));
    await fails(/subfolder "no" is not in the repository/, context("#main:no"));
    await fails(/unexpected query "depth"/, context("?depth=1"));
    await fails(/does not contain ref nowhere/, context("#nowhere"));
  });

  test("X01 X03 a context behind a URL is an archive or a Dockerfile, and -f takes a URL", async () => {
    const folder = box.write("context", { Dockerfile: "FROM scratch\nCOPY . /c/\n", ".dockerignore": "x\n", x: "x" });
    pages["/context"] = { body: execFileSync("tar", ["-cf", "-", "-C", folder, "."]) };
    pages["/recipe"] = { body: "FROM scratch\nCOPY . /d/\n" };
    pages["/x.Dockerfile"] = { body: "FROM scratch\nCOPY x /from-url\n" };
    for (const args of [[`${site}/context`], [`${site}/recipe`], ["-f", `${site}/x.Dockerfile`, `${site}/context`]]) {
      const { code, stderr } = await box.varve(["build", "-o", box.path("web"), ...args]);
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(readdirSync(box.path("web/c")).sort(), [".dockerignore", "Dockerfile", "x"]);
    assert.deepEqual(readdirSync(box.path("web/d")), ["context"]);
    assert.equal(readFileSync(box.path("web/from-url"), "utf8"), "x");
  });

  test("A06 Y12 SOURCE_DATE_EPOCH takes the date of a context or of a stage that fetches one source", async () => {
    const folder = box.write("dated", { Dockerfile: "FROM scratch\nCOPY newest /\n", newest: "new", old: "old" });
    utimesSync(join(folder, "Dockerfile"), 1_000_000_000, 1_000_000_000);
    utimesSync(join(folder, "old"), 1_000_000_000, 1_000_000_000);
    utimesSync(join(folder, "newest"), 1_234_567_890, 1_234_567_890);
    pages["/dated.tar.gz"] = { body: execFileSync("tar", ["-czf", "-", "-C", folder, "Dockerfile", "newest", "old"]) };
    pages["/dated"] = { body: "no archive", modified: "Wed, 21 Oct 2015 07:28:00 GMT" };
    pages["/dateless"] = { body: "neither" };
    const createdOf = async (epoch: string, context: string, ...args: readonly string[]) => {
      const output = ["--build-arg", `SOURCE_DATE_EPOCH=${epoch}`, "-o", "type=oci,dest=-"];
      const { stdout } = await box.succeed(["build", ...output, ...args, context]);
      return readOciArchive(stdout).config["created"];
    };
    const stages = box.write("stages", {
      Dockerfile: `FROM scratch AS repo\nADD ${repository.url}#main /r\nFROM scratch AS file\nADD ${site}/dated /\nFROM scratch\nLABEL a=b\n`,
    });
    const ofCommit = new Date(commitSeconds * 1000).toISOString().replace(".000Z", "Z");
    assert.equal(await createdOf("context", `${repository.url}#main`), ofCommit);
    assert.equal(await createdOf("repo", stages), ofCommit);
    assert.equal(await createdOf("file", stages), "2015-10-21T07:28:00Z");
    assert.equal(await createdOf("context", `${site}/dated.tar.gz`), "2009-02-13T23:31:30Z");
    assert.equal(await createdOf("more", stages, "--build-context", `more=${site}/dated.tar.gz`), "2009-02-13T23:31:30Z");
    assert.equal(await createdOf("more", stages, "--build-context", `more=${site}/dateless`), "1970-01-01T00:00:00Z");
    assert.equal(await createdOf("context", stages), "1970-01-01T00:00:00Z");
    await fails(
      /invalid SOURCE_DATE_EPOCH: yesterday/,
      box.varve(["build", "--build-arg", "SOURCE_DATE_EPOCH=yesterday", stages]),
    );
  });

  test("C16 X07 credentials come from secrets, and show nowhere", async () => {
    const canary = "canary-secret-815";
    git.requiredAuthorization = `basic ${Buffer.from(`x-access-token:${canary}`).toString("base64")}`;
    try {
      const dockerfile = `FROM scratch\nADD --keep-git-dir=true ${repository.url}?submodules=0 /r/\n`;
      await fails(/GIT_AUTH_TOKEN/, build(dockerfile));
      const built = await box.build(
        { Dockerfile: dockerfile },
        ["--secret", "id=GIT_AUTH_TOKEN,env=TOKEN", "-o", box.path("secret")],
        { env: { TOKEN: canary }, store: "fresh" },
      );
      assert.equal(built.code, 0, built.stderr);
      assert.ok(!`${built.stderr}${String(built.stdout)}`.includes(canary));
      for (const place of ["fresh", "secret"]) {
        for (const entry of readdirSync(box.path(place), { recursive: true, withFileTypes: true })) {
          const bytes = entry.isFile() ? readFileSync(join(entry.parentPath, entry.name)) : Buffer.alloc(0);
          assert.ok(
            !bytes.includes(canary) && !bytes.includes(Buffer.from(`x-access-token:${canary}`).toString("base64")),
            entry.name,
          );
        }
      }
    } finally {
      git.requiredAuthorization = undefined;
    }
  });
});
