/** A proxy before a registry that does to requests what bad networks and bad registries do. */
import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { Socket } from "node:net";

/** What happens to a request. */
export type Fault =
  | { readonly kind: "pass" }
  /** The connection ends without an answer. */
  | { readonly kind: "drop" }
  /** Nothing is ever said. */
  | { readonly kind: "hang" }
  | { readonly kind: "delay"; readonly ms: number }
  /** Of the answer's body this much, then the connection ends. */
  | { readonly kind: "truncate"; readonly bytes: number }
  /** Of the request's body this much, then the connection ends. */
  | { readonly kind: "cut-upload"; readonly bytes: number }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "redirect"; readonly to: string }
  /** Other bytes of the same length. */
  | { readonly kind: "corrupt" }
  /** The answer's headers say another digest, or another length, than the answer has. */
  | { readonly kind: "lie"; readonly headers: Readonly<Record<string, string>> }
  /** The body has no end. */
  | { readonly kind: "endless-body" }
  | { readonly kind: "endless-headers" };

export interface FaultProxy {
  readonly host: string;
  /** For varve.toml: how to reach it. */
  readonly settings: string;
  /** `METHOD /path` of every request. */
  readonly asked: readonly string[];
  /** Bytes of request bodies that came in. */
  readonly uploadedBytes: () => number;
  /** Decides from now on; `seen` counts the requests with this method and path. */
  decide(rule: (request: { readonly method: string; readonly path: string; readonly seen: number }) => Fault): void;
  stop(): void;
}

const pass: Fault = { kind: "pass" };

/** Starts a proxy before the registry on `upstream`. It passes everything until it is told otherwise. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  let rule: Parameters<FaultProxy["decide"]>[0] = () => pass;
  let uploaded = 0;
  let counts = new Map<string, number>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url: path = "" } = request;
    asked.push(`${method} ${path}`);
    // Every upload has an address of its own: they are counted together.
    const line = `${method} ${path.replace(/(\/uploads\/).*/, "$1").replace(/\?.*/, "")}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
    request.on("data", (chunk: Buffer) => (uploaded += chunk.length));
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    handle(rule({ method, path, seen: counts.get(line) ?? 1 }), request, response, upstream);
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    host,
    settings: `[registry."${host}"]\nhttp = true\n`,
    asked,
    uploadedBytes: () => uploaded,
    decide(next) {
      rule = next;
      counts = new Map();
    },
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function handle(fault: Fault, request: IncomingMessage, response: ServerResponse, upstream: string): void {
  if (fault.kind === "hang") return void request.resume();
  if (fault.kind === "drop") return void request.socket.destroy();
  if (fault.kind === "status" || fault.kind === "redirect") {
    request.resume();
    const answer = fault.kind === "redirect" ? { status: 307, headers: { location: fault.to } } : fault;
    return void request.on("end", () => response.writeHead(answer.status, answer.headers).end());
  }
  if (fault.kind === "endless-headers") {
    request.socket.write("HTTP/1.1 200 OK\r\n");
    return pour(request.socket, Buffer.from(`x-more: ${"y".repeat(500)}\r\n`));
  }
  if (fault.kind === "endless-body") {
    request.resume();
    response.writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json" });
    return pour(response, Buffer.alloc(65_536, " "));
  }
  if (fault.kind === "delay") {
    request.pause();
    return void setTimeout(() => {
      forward(pass, request, response, upstream);
      request.resume();
    }, fault.ms);
  }
  forward(fault, request, response, upstream);
}

function pour(out: ServerResponse | IncomingMessage["socket"], bytes: Buffer): void {
  const fill = (): void => {
    while (!out.destroyed && out.write(bytes));
  };
  out.on("drain", fill);
  fill();
}

function forward(fault: Fault, request: IncomingMessage, response: ServerResponse, upstream: string): void {
  const [hostname, port] = upstream.split(":");
  // The registry says where uploads go by this name, and so they come by here.
  // A request that has come whole takes no connection with it when it is destroyed.
  const { method = "GET", url: path = "/", headers, socket } = request;
  const breakOff = (isTime: boolean): void => void (isTime && socket.destroy());
  const outgoing = send({ hostname, port, method, path, headers }, (answer) => {
    const lied = fault.kind === "lie" ? fault.headers : {};
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...lied });
    let sent = 0;
    answer.on("data", (chunk: Buffer) => {
      if (fault.kind === "truncate") {
        if (sent < fault.bytes) response.write(chunk.subarray(0, fault.bytes - sent), () => breakOff(sent >= fault.bytes));
      } else response.write(fault.kind === "corrupt" ? Buffer.alloc(chunk.length, "x") : chunk);
      sent += chunk.length;
    });
    answer.on("end", () => (fault.kind === "truncate" && method !== "HEAD" ? breakOff(sent < fault.bytes) : response.end()));
    answer.on("error", () => socket.destroy());
  });
  outgoing.on("error", () => socket.destroy());
  response.on("close", () => outgoing.destroy());
  let received = 0;
  request.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (fault.kind === "cut-upload" && received > fault.bytes) {
      outgoing.destroy();
      socket.destroy();
      return;
    }
    if (!outgoing.write(chunk)) {
      request.pause();
      outgoing.once("drain", () => request.resume());
    }
  });
  if (request.readableEnded) outgoing.end();
  else request.on("end", () => outgoing.end());
}
