import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { arch } from "node:process";
import { packArchive, type ArchiveEntry } from "./pack-archive.ts";

/** The names under which both builders know the images that the cases start from. */
export const baseNames = ["varve-base:latest", "varve-base:full", "varve-base:onbuild", "varve-base:bare"];

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const created = "2001-02-03T04:05:06Z";
const mtime = { sec: 981_173_106n, nsec: 0 };

/** A `docker save` archive with four images of one layer, a static busybox with users, links, attributes and odd modes. */
export function makeBaseImages(): Uint8Array {
  const layer = packArchive("layer.tar", rootEntries());
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const configs = [
    { Env: [path], Cmd: ["sh"] },
    {
      Env: [path, "BASE=from base", "EMPTY="],
      User: "app",
      WorkingDir: "/home/app",
      Entrypoint: ["/bin/sh", "-c"],
      Cmd: ["id"],
      Labels: { a: "1", "base.only": "x y" },
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/data": {} },
      StopSignal: "SIGINT",
      Shell: ["/bin/sh", "-ec"],
      Healthcheck: { Test: ["CMD", "true"], Interval: 5_000_000_000 },
    },
    {
      Env: [path],
      Cmd: ["sh"],
      OnBuild: ["RUN echo triggered > /triggered", "COPY . /onbuild/", "ENV ONBUILD_RAN=yes", "WORKDIR /onbuild"],
    },
    {},
  ];
  const architecture = { x64: "amd64", arm64: "arm64" }[String(arch)] ?? String(arch);
  const images = configs.map((config, index) => {
    const text = JSON.stringify({
      created,
      author: index === 1 ? "somebody" : undefined,
      architecture,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: [diffId] },
      history: [{ created, created_by: "base" }],
    });
    return { name: baseNames[index] ?? "", text, file: `${createHash("sha256").update(text).digest("hex")}.json` };
  });
  const manifest = images.map(({ name, file }) => ({ Config: file, RepoTags: [name], Layers: ["base/layer.tar"] }));
  const common = { type: "file", mode: 0o644, uid: 0, gid: 0, mtime } as const;
  return packArchive("images.tar", [
    ...images.map(({ file, text }): ArchiveEntry => ({ ...common, path: file, body: Buffer.from(text) })),
    { ...common, path: "base/layer.tar", body: layer },
    { ...common, path: "manifest.json", body: Buffer.from(JSON.stringify(manifest)) },
  ]);
}

function rootEntries(): ArchiveEntry[] {
  const program = findBusybox();
  const applets = spawnSync(program, ["--list"], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  const folder = (name: string, mode = 0o755, owner = 0): ArchiveEntry => ({
    path: `${name}/`,
    type: "directory",
    mode,
    uid: owner,
    gid: owner,
    mtime,
  });
  const file = (
    name: string,
    text: string | Uint8Array,
    mode = 0o644,
    owner = 0,
    xattrs: ArchiveEntry["xattrs"] = [],
  ): ArchiveEntry => ({
    path: name,
    type: "file",
    mode,
    uid: owner,
    gid: owner,
    mtime,
    xattrs,
    body: Buffer.from(text),
  });
  const symlink = (name: string, linkPath: string): ArchiveEntry => ({
    path: name,
    type: "symlink",
    linkPath,
    mode: 0o777,
    uid: 0,
    gid: 0,
    mtime,
  });
  const link = (name: string, linkPath: string): ArchiveEntry => ({
    path: name,
    type: "link",
    linkPath,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime,
  });
  // VFS_CAP_REVISION_2 with the effective bit and CAP_NET_BIND_SERVICE (linux/capability.h).
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  return [
    ...[
      "bin",
      "dev",
      "etc",
      "home",
      "proc",
      "sys",
      "usr",
      "usr/bin",
      "usr/local",
      "var",
      "old",
      "old/deep",
      "old/deep/er",
      "real",
    ].map((name) => folder(name)),
    folder("tmp", 0o1777),
    folder("root", 0o700),
    folder("home/app", 0o750, 1000),
    file("bin/busybox", readFileSync(program), 0o755),
    ...applets.map((name) => symlink(`bin/${name}`, "busybox")),
    file(
      "etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/var/www:/bin/false\napp:x:1000:1001:app:/home/app:/bin/sh\nnohome:x:1002:1002::/missing:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    ),
    file("etc/group", "root:x:0:\nweb:x:33:app\napps:x:1001:\nextra:x:2000:app,web\nmany:x:2001:root,app\nnobody:x:65534:\n"),
    file("old/file", "old\n"),
    file("old/deep/file", "old deep\n", 0o600, 5),
    file("old/deep/er/file", "old deeper\n"),
    file("old/setuid", "#!/bin/sh\n", 0o4755),
    file("old/capable", "#!/bin/sh\n", 0o755, 0, [["security.capability", capability]]),
    file("old/one", "shared\n"),
    link("old/two", "old/one"),
    symlink("old/link-to-file", "file"),
    symlink("old/broken", "nowhere"),
    symlink("link-to-real", "real"),
    symlink("absolute-link", "/real"),
    symlink("outside-link", "../../../real"),
    symlink("loop", "loop"),
    file("real/file", "real\n"),
    { path: "old/pipe", type: "fifo", mode: 0o640, uid: 0, gid: 0, mtime },
  ];
}

/** A busybox that needs no shared libraries, as the images have none. */
function findBusybox(): string {
  const found = ["/bin/busybox", "/usr/bin/busybox"].find(
    (name) => existsSync(name) && /not a dynamic|statically/.test(runLdd(name)),
  );
  if (found === undefined) throw new Error("found no static busybox; Debian's package busybox-static has one");
  return found;
}

function runLdd(name: string): string {
  const { stdout, stderr } = spawnSync("ldd", [name], { encoding: "utf8" });
  return stdout + stderr;
}
