/** A token server as registries send to: it knows one user, signs with a key of its own, and writes down what it granted. */
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { Certificate } from "./registry.ts";

export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** The CA that the registry is to trust. */
  readonly bundle: string;
  /** `user scope`, in order; the user is empty for anonymous. */
  readonly granted: readonly string[];
  stop(): void;
}

/** Grants everything to the user, and reading of what begins with `public/` to everybody. (distribution, "Token Authentication") */
export async function startTokenServer(signer: Certificate, user: string, password: string): Promise<TokenServer> {
  const granted: string[] = [];
  const [service, issuer] = ["test registry", "test issuer"];
  const server = createServer((request, response) => {
    request.resume();
    const who = userOf(request);
    if (who !== undefined && who !== `${user}:${password}`) return response.writeHead(401).end();
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    const access = query.getAll("scope").flatMap((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":");
      const allowed = actions
        .split(",")
        .filter((action) => who !== undefined || (action === "pull" && name.startsWith("public/")));
      granted.push(`${who === undefined ? "" : user} ${type}:${name}:${allowed.join(",")}`);
      return allowed.length === 0 ? [] : [{ type, name, actions: allowed }];
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: service, sub: user, exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID(), access };
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ token: signToken(claims, signer), expires_in: 300 }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    realm: `http://127.0.0.1:${port}/token`,
    service,
    issuer,
    bundle: signer.ca,
    granted,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function userOf({ headers: { authorization = "" } }: IncomingMessage): string | undefined {
  const encoded = /^Basic (.*)$/.exec(authorization)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
}

function signToken(claims: object, { cert, key }: Certificate): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const leaf = new X509Certificate(readFileSync(cert)).raw.toString("base64");
  const text = `${encode({ alg: "ES256", typ: "JWT", x5c: [leaf] })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: createPrivateKey(readFileSync(key)), dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
