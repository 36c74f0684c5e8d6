/** `varve cp`: Docker's rules of names as a Docker Engine 28 was seen to follow them, and copies that stay inside. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { after, before, test } from "node:test";
import { encodeEntry, endOfArchive, padding, type TarHeader } from "../../src/tar/index.ts";
import { start, type Result } from "../kit/command.ts";
import { describeEachWay } from "../kit/each-way.ts";

const time = { sec: 1_000_000_000n, nsec: 0 };
const common = { mode: 0o644, uid: 0, gid: 0, mtime: time };

/** A tar archive of entries with text in them. */
function archive(...entries: readonly (Pick<TarHeader, "type" | "path" | "linkPath"> & { readonly text?: string })[]): Buffer {
  const parts = entries.flatMap(({ text = "", ...header }) => {
    const body = Buffer.from(text);
    const mode = header.type === "directory" ? 0o755 : 0o644;
    return [
      encodeEntry({ ...common, ...header, mode, size: header.type === "file" ? body.length : 0 }),
      body,
      padding(body.length),
    ];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

/** What the names in a tar archive are, with their kinds. */
async function names(bytes: Buffer): Promise<readonly string[]> {
  const { stdout } = await start(["tar", "--list", "--verbose", "--numeric-owner"], { input: bytes }).result;
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^(.)\S+ +(\S+) +\S+ +\S+ +\S+ /, "$1 $2 "))
    .toSorted();
}

const plain = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/^. \S+ /, "")).toSorted();

describeEachWay("cp", (box) => {
  const at = (name: string): string => box.path("work", name);
  const cp = async (...args: readonly string[]): Promise<Result> => await box.varve(["cp", ...args], { cwd: box.path("work") });
  const copies = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await cp(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  };
  const fails = async (pattern: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await cp(...args);
    assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, pattern);
  };
  const inside = async (path: string): Promise<readonly string[]> => await names((await cp(path, "-")).stdout);

  before(async () => {
    box.write("work", { f: "f\n", "src/a": "a\n", "src/sub/b": "b\n", "clash/a/": "" });
    symlinkSync("a", at("src/la"));
    symlinkSync("f", at("lf"));
    await box.succeed(["pull", "-q", "busybox"]);
    await box.succeed(["create", "--name", "still", "busybox", "true"]);
    await box.succeed(["run", "-d", "--name", "runs", "--network=none", "-v", "kept:/kept", "busybox", "sleep", "1000"]);
  });
  after(async () => {
    await box.succeed(["rm", "-f", "-v", "still", "runs"]);
    await box.succeed(["volume", "rm", "kept"]);
  });

  test("names in a container that never ran mean what Docker has them mean", async () => {
    await copies("src", "still:/d1");
    await copies("src", "still:/d1");
    const tree = (prefix: string) => [`${prefix}/a`, `${prefix}/la -> a`, `${prefix}/sub/`, `${prefix}/sub/b`, `${prefix}/`];
    assert.deepEqual(plain(await inside("still:/d1")), [...tree("d1"), ...tree("d1/src")].toSorted());
    await copies("src/.", "still:/d2");
    await copies("src/.", "still:/d2");
    assert.deepEqual(plain(await inside("still:/d2/.")), ["./", "./a", "./la -> a", "./sub/", "./sub/b"]);
    await copies("-L", "lf", "still:/tmp");
    assert.match((await inside("still:/tmp/lf")).join(), /^- \d+\/\d+ lf$/);
    await fails(/cannot overwrite non-directory "a" with directory "\/d2"/, "clash/.", "still:/d2");
    await fails(/Could not find the file \/missing in container/, "f", "still:/missing/x");
  });

  test("names on this machine mean what Docker has them mean, and belong to who copies", async () => {
    await copies("still:/d2", "made");
    await copies("still:/d2/.", "made");
    await copies("-L", "still:/d2/la", "made");
    assert.deepEqual(readdirSync(at("made")).toSorted(), ["a", "la", "sub"]);
    assert.equal(readFileSync(at("made/la"), "utf8"), "a\n");
    assert.equal(statSync(at("made/a")).uid, box.way.person?.uid ?? process.getuid?.());
    await fails(/Could not find the file \/nothing in container/, "still:/nothing", ".");
    await fails(/invalid output path: directory ".*nowhere" does not exist/, "still:/d2/a", "nowhere/x");
  });

  test("what is no copy is refused in Docker's words", async () => {
    await fails(/must specify at least one container source/, "f", "g");
    await fails(/copying between containers is not supported/, "still:/a", "runs:/b");
    await fails(/No such container: nobody/, "nobody:/a", ".");
    await fails(/destination "still:\/d2\/a" must be a directory/, "-", "still:/d2/a");
  });

  test("volumes are seen, and a read-only root is told", async () => {
    await copies("f", "runs:/kept/in-volume");
    assert.equal((await box.succeed(["exec", "runs", "cat", "/kept/in-volume"])).stdout.toString(), "f\n");
    await box.succeed(["create", "--name", "sealed", "--read-only", "-v", "kept:/kept:ro", "busybox", "true"]);
    await fails(/container rootfs is marked read-only/, "f", "sealed:/x");
    await fails(/mounted volume is marked read-only/, "f", "sealed:/kept/x");
    assert.match((await inside("sealed:/kept/in-volume")).join(), / in-volume$/);
    await box.succeed(["rm", "sealed"]);
  });

  test("archives on stdin stay in the container, whatever they name", async () => {
    const give = async (input: Buffer, to: string): Promise<Result> => await box.varve(["cp", "-", to], { input });
    const evil = `varve-cp-evil-${process.pid}`;
    assert.equal((await give(archive({ type: "file", path: "ok", text: "ok" }), "runs:/tmp")).code, 0);
    for (const entries of [
      [{ type: "file", path: `../../../../tmp/${evil}`, text: "x" }],
      [
        { type: "symlink", path: "up", linkPath: "../../../../../tmp" },
        { type: "file", path: `up/${evil}`, text: "x" },
      ],
      [
        { type: "symlink", path: "abs", linkPath: "/tmp" },
        { type: "file", path: `abs/${evil}`, text: "x" },
      ],
      [{ type: "link", path: "hard", linkPath: "../../../../etc/hostname" }],
    ] as const) {
      await give(archive(...entries), "runs:/root");
      assert.ok(!existsSync(`/tmp/${evil}`), "it got out");
    }
    assert.match((await give(Buffer.from("garbage"), "runs:/tmp")).stderr, /unexpected EOF/);
    assert.equal((await give(Buffer.alloc(0), "runs:/tmp")).code, 0);
  });

  test("links of the container lead nowhere but into the container, also while somebody swaps them", async () => {
    await box.succeed([
      "exec",
      "runs",
      "sh",
      "-c",
      "mkdir -p /trap/real; echo inside > /trap/real/passwd; ln -s /etc /trap/link; ln -s ../../../../../../etc /trap/up",
    ]);
    const own = (await box.succeed(["exec", "runs", "cat", "/etc/passwd"])).stdout.toString();
    for (const link of ["link", "up"]) {
      await copies("-L", `runs:/trap/${link}/passwd`, `stolen-${link}`);
      assert.equal(readFileSync(at(`stolen-${link}`), "utf8"), own, "it is the container's, not this machine's");
    }
    const swap = "while :; do mv /trap/real /trap/r; ln -s /etc /trap/real; rm /trap/real; mv /trap/r /trap/real; done";
    await box.succeed(["exec", "-d", "runs", "sh", "-c", swap]);
    const machine = readFileSync("/etc/hostname", "utf8");
    for (let round = 0; round < 2; round += 1) {
      const { stdout } = await cp("runs:/trap", "-");
      assert.ok(!stdout.includes(machine.trim()) || machine.trim().length < 4, "a file of this machine was read");
      await cp("f", `runs:/trap/real/varve-cp-swap-${process.pid}`);
      assert.ok(!existsSync(`/etc/varve-cp-swap-${process.pid}`), "a file of this machine was written");
    }
  });
});
