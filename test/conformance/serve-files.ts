import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join, normalize } from "node:path";

/** Files and Git repositories of cases over HTTP: `URL/CASE/http/FILE`, `URL/CASE/git/repo.git`. */
export interface FileServer {
  readonly url: string;
  close(): Promise<void>;
}

const date = "Sat, 03 Feb 2001 04:05:06 GMT";

/** Serves `work/CASE/http` and, by Git's own http-backend, `work/CASE/git`. */
export async function serveFiles(work: string): Promise<FileServer> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://local").pathname));
    if (/^\/[^/]+\/git\//.test(path)) serveGit(work, request, response);
    else serveFile(join(work, path), response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serveFile(path: string, response: ServerResponse): void {
  if (!path.includes("/http/") || !existsSync(path)) {
    response.writeHead(404).end("not here");
    return;
  }
  const name = basename(path);
  if (name.includes("dated")) response.setHeader("last-modified", date);
  if (name.includes("named")) response.setHeader("content-disposition", 'attachment; filename="from header.txt"');
  response.writeHead(200, { "content-type": "application/octet-stream" }).end(readFileSync(path));
}

/** A CGI program's answer: headers, an empty line, the body. */
function serveGit(work: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://local");
  const child = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: work,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.once("close", () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf("\r\n\r\n");
    const headers = answer
      .subarray(0, Math.max(end, 0))
      .toString()
      .split("\r\n")
      .map((line) => line.split(/: (.*)/s));
    const status = headers.find(([name]) => name?.toLowerCase() === "status")?.[1];
    for (const [name, value] of headers)
      if (name && value !== undefined && name.toLowerCase() !== "status") response.setHeader(name, value);
    response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10)).end(answer.subarray(end + 4));
  });
}

/** Makes `repo.git` of a folder: everything in one commit on `main`, tagged `v1`, and a branch `other` with one file more. */
export function makeRepository(files: string, folder: string): void {
  const tree = join(folder, "tree");
  mkdirSync(folder, { recursive: true });
  cpSync(files, tree, { recursive: true, verbatimSymlinks: true });
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
    ...Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((who) => [
        [`GIT_${who}_NAME`, "a"],
        [`GIT_${who}_EMAIL`, "a@b.example"],
      ]),
    ),
  };
  const git = (...args: string[]) => execFileSync("git", ["-C", tree, ...args], { env, stdio: "pipe" });
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message=first");
  git("tag", "v1");
  git("checkout", "--quiet", "-b", "other");
  writeFileSync(join(tree, "branch"), "other\n");
  git("add", "--all");
  git("commit", "--quiet", "--message=second");
  git("checkout", "--quiet", "main");
  execFileSync("git", ["clone", "--quiet", "--bare", tree, join(folder, "repo.git")], { env, stdio: "pipe" });
}
