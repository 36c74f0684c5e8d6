import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { once } from "node:events";
import { ways, type Person } from "./ways.ts";

/** OpenSSH's own server on a loopback port, that lets one key in, as the ordinary user of the tests. */
export interface SshServer extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** Whom it runs as, where that is another user than the tests' own. */
  readonly uid: number | undefined;
  /** What it said so far. */
  log(): string;
}

/** Who logs in: root could only with what an installed server has. */
function serverPerson(): Person | undefined {
  if (process.getuid?.() !== 0) return { name: userInfo().username, uid: userInfo().uid, gid: userInfo().gid };
  return ways.find(({ person }) => person !== undefined)?.person;
}

/** Why there is no server here, for the title of a skipped test. */
export const missingSshServer = serverPerson() === undefined ? "nobody here has subordinate ids (/etc/subuid)" : undefined;

/** Starts it in an empty folder of its own. `publicKey` is a line of authorized_keys. */
export async function startSshServer(folder: string, { publicKey }: { readonly publicKey: string }): Promise<SshServer> {
  const person = serverPerson();
  if (person === undefined) throw new Error(missingSshServer);
  const found = execFileSync("sh", ["-c", "command -v sshd || echo /usr/sbin/sshd"], { encoding: "utf8" }).trim();
  mkdirSync(folder, { recursive: true });
  // The person may not reach where setup.sh unpacked it, and a name of its own keeps it apart from the machine's
  const prefix = join(dirname(found), "../..");
  const place = (path: string, mode: number) => {
    const copy = join(folder, path.split("/").at(-1) ?? "");
    copyFileSync(path, copy);
    chmodSync(copy, mode);
    return copy;
  };
  const program = place(found, 0o755);
  const libraries = globSync([join(prefix, "lib/*/libwrap.so.0"), join(prefix, "usr/lib/*/libwrap.so.0")]);
  for (const library of libraries) place(library, 0o644);
  const helpers = ["SshdSession sshd-session", "SshdAuth sshd-auth"].flatMap((line) => {
    const [key = "", name = ""] = line.split(" ");
    const path = join(prefix, "usr/lib/openssh", name);
    return existsSync(path) ? [`${key}Path ${place(path, 0o755)}`] : [];
  });
  const hostKey = join(folder, "host_key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
  writeFileSync(join(folder, "authorized_keys"), `${publicKey}\n`);
  const port = await freePort();
  const settings = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    ...helpers,
  ];
  writeFileSync(join(folder, "sshd_config"), `${settings.join("\n")}\n`);
  const ids: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: person.uid, gid: person.gid } : {};
  if (ids.uid !== undefined) for (const path of globSync(join(folder, "*"))) chownSync(path, ids.uid, ids.gid ?? 0);
  const env = { PATH: process.env["PATH"], ...(libraries.length > 0 ? { LD_LIBRARY_PATH: folder } : {}) };
  const child = spawn(program, ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
    env,
    ...ids,
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, "exit");
  while (!log.includes("Server listening")) {
    const outcome = await Promise.race([once(child.stderr, "data").then(() => "more"), ended.then(() => "ended")]);
    if (outcome === "ended") throw new Error(`sshd ended: ${log}`);
  }
  return {
    port,
    user: person.name,
    uid: ids.uid,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
