import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Real repositories, served over HTTP by git's own `http-backend` on a loopback port. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; a repository is at `/NAME.git`. */
  readonly origin: string;
  /** Every request so far: its path, and the `Authorization` header. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  /** Makes `NAME.git` with a work tree beside it, and gives a hand to work in it. */
  create(name: string, options?: { readonly sha256?: boolean }): Repository;
  /** Refuses requests without this header, when set. */
  requiredAuthorization: string | undefined;
  /** Answers nothing at all, when set. */
  isSilent: boolean;
}

export interface Repository {
  readonly url: string;
  readonly work: string;
  readonly bare: string;
  /** Runs git in the work tree; returns its output without the line end. */
  git(...args: readonly string[]): string;
  /** Commits all files at a fixed time, pushes every ref; returns the commit's hash. */
  commit(message?: string): string;
}

export async function startGitServer(): Promise<GitServer> {
  const folder = mkdtempSync(join(tmpdir(), "varve-git-"));
  const requests: GitServer["requests"] = [];
  const http = createServer((request, response) => {
    const { authorization } = request.headers;
    requests.push({ path: request.url ?? "", authorization });
    if (server.isSilent) return;
    if (server.requiredAuthorization !== undefined && authorization !== server.requiredAuthorization) {
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
    } else serveBackend(request, response, folder);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server: GitServer = {
    origin,
    requests,
    requiredAuthorization: undefined,
    isSilent: false,
    create(name, { sha256 = false } = {}) {
      const [bare, work] = [join(folder, `${name}.git`), join(folder, `${name}.work`)];
      const format = `--object-format=${sha256 ? "sha256" : "sha1"}`;
      mkdirSync(work);
      runGit(work, ["init", "--quiet", "--initial-branch=main", format]);
      runGit(work, ["init", "--quiet", "--bare", "--initial-branch=main", format, bare]);
      const git = (...args: readonly string[]) => runGit(work, args);
      return {
        url: `${origin}/${name}.git`,
        work,
        bare,
        git,
        commit(message = "a commit") {
          git("add", "--all");
          git("commit", "--quiet", "--allow-empty", `--message=${message}`);
          git("push", "--quiet", "--force", "--all", bare);
          git("push", "--quiet", "--force", "--tags", bare);
          return git("rev-parse", "HEAD");
        },
      };
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      // who was sent away in the middle may still write
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
  return server;
}

/** The time of every commit that the kit makes, in seconds since 1970. */
export const commitSeconds = 1_500_000_000;

function runGit(cwd: string, args: readonly string[]): string {
  const person = { NAME: "Test", EMAIL: "test@example.com", DATE: `${commitSeconds} +0000` };
  const people = Object.entries(person).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  const env = { PATH: process.env["PATH"], HOME: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...Object.fromEntries(people) };
  return execFileSync("git", ["-c", "protocol.file.allow=always", ...args], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trimEnd();
}

/** CGI as RFC 3875 has it, as far as http-backend asks for it. */
function serveBackend(request: IncomingMessage, response: ServerResponse, folder: string): void {
  const url = new URL(request.url ?? "/", "http://host");
  const env = {
    PATH: process.env["PATH"],
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
    REMOTE_ADDR: "127.0.0.1",
    GIT_CONFIG_NOSYSTEM: "1",
    HOME: "/dev/null",
  };
  const backend = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  request.pipe(backend.stdin);
  backend.stdin.on("error", () => request.unpipe());
  let head = Buffer.alloc(0);
  backend.stdout.on("data", (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    let status = 200;
    for (const line of head.subarray(0, end).toString("latin1").split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  backend.stdout.on("end", () => response.end());
}
