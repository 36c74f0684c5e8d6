/** `varve cp`: Docker's rules of names as a Docker Engine 28 was seen to follow them, and copies that stay inside. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from "node:fs";
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
    symlinkSync("src", at("lsrc"));
    symlinkSync("f", at("lf"));
    await box.succeed(["pull", "-q", "busybox"]);
    await box.succeed(["create", "--name", "still", "busybox", "true"]);
    await box.succeed(["run", "-d", "--name", "runs", "--network=none", "-v", "kept:/kept", "busybox", "sleep", "1000"]);
  });
  after(async () => {
    await box.succeed(["rm", "-f", "-v", "still", "runs"]);
    await box.succeed(["volume", "rm", "kept"]);
  });

  for (const name of ["still", "runs"]) {
    test(`names into a container that ${name === "still" ? "never ran" : "runs"} mean what Docker has them mean`, async () => {
      await copies("f", `${name}:/new`);
      await copies("f", `${name}:/tmp`);
      assert.match((await inside(`${name}:/tmp/f`)).join(), /^- \d+\/\d+ f$/);
      await copies("src", `${name}:/d1`);
      await copies("src", `${name}:/d1`);
      const tree = (prefix: string) => [`${prefix}/a`, `${prefix}/la -> a`, `${prefix}/sub/`, `${prefix}/sub/b`, `${prefix}/`];
      const found = (await inside(`${name}:/d1`)).map((line) => line.replace(/^. \S+ /, ""));
      assert.deepEqual(found.toSorted(), [...tree("d1"), ...tree("d1/src")].toSorted());
      await copies("src/.", `${name}:/d2`);
      await copies("src/.", `${name}:/d2`);
      assert.deepEqual(
        (await inside(`${name}:/d2`)).map((line) => line.replace(/^. \S+ /, "")).toSorted(),
        tree("d2").toSorted(),
      );
      await copies("lsrc", `${name}:/link`);
      assert.match((await inside(`${name}:/link`)).join(), /^l \S+ link -> src$/);
      await copies("-L", "lf", `${name}:/followed`);
      assert.match((await inside(`${name}:/followed`)).join(), /^- \S+ followed$/);
      await fails(/cannot copy directory/, "src", `${name}:/new`);
      await fails(/no such directory/, "f", `${name}:/missing/`);
      await fails(/Could not find the file \/missing in container/, "f", `${name}:/missing/x`);
      await fails(/extraction point is not a directory/, "f", `${name}:/new/x`);
      await fails(/cannot overwrite non-directory "a" with directory "\/d2"/, "clash/.", `${name}:/d2`);
    });

    test(`names out of a container that ${name === "still" ? "never ran" : "runs"} mean what Docker has them mean`, async () => {
      const out = `out-${name}`;
      mkdirSync(at(out), { mode: 0o777 });
      await box.varve(["version"]);
      if (box.way.person !== undefined) await start(["chown", `${box.way.person.uid}:${box.way.person.gid}`, at(out)]).result;
      await copies(`${name}:/new`, `${out}/file`);
      assert.equal(readFileSync(at(`${out}/file`), "utf8"), "f\n");
      await copies(`${name}:/d2`, `${out}/made`);
      await copies(`${name}:/d2`, `${out}/made`);
      assert.deepEqual(readdirSync(at(`${out}/made`)).toSorted(), ["a", "d2", "la", "sub"]);
      assert.equal(readlinkSync(at(`${out}/made/la`)), "a");
      await copies(`${name}:/d2/.`, `${out}/content`);
      assert.deepEqual(readdirSync(at(`${out}/content`)).toSorted(), ["a", "la", "sub"]);
      assert.deepEqual((await inside(`${name}:/d2/.`)).map((line) => line.replace(/^. \S+ /, "")).toSorted(), [
        "./",
        "./a",
        "./la -> a",
        "./sub/",
        "./sub/b",
      ]);
      await copies("-L", `${name}:/d2/la`, `${out}/followed`);
      assert.equal(readFileSync(at(`${out}/followed`), "utf8"), "a\n");
      const { uid } = statSync(at(`${out}/file`));
      assert.equal(uid, box.way.person?.uid ?? process.getuid?.());
      await fails(/Could not find the file \/nothing in container/, `${name}:/nothing`, ".");
      await fails(/invalid output path: directory ".*nowhere" does not exist/, `${name}:/new`, "nowhere/x");
      await fails(/cannot copy directory/, `${name}:/d2`, `${out}/file`);
      await fails(/lstat \/new\/: not a directory/, `${name}:/new/`, out);
    });
  }

  test("what is no copy is refused in Docker's words", async () => {
    await fails(/must specify at least one container source/, "f", "g");
    await fails(/copying between containers is not supported/, "still:/a", "runs:/b");
    await fails(/No such container: nobody/, "nobody:/a", ".");
    await fails(/lstat .*\/work\/nox: no such file or directory/, "nox", "still:/x");
    await fails(/destination "still:\/new" must be a directory/, "-", "still:/new");
    await fails(/destination can not be empty/, "f", "");
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
    for (let round = 0; round < 3; round += 1) {
      const { stdout } = await cp("runs:/trap", "-");
      assert.ok(!stdout.includes(machine.trim()) || machine.trim().length < 4, "a file of this machine was read");
      await cp("f", `runs:/trap/real/varve-cp-swap-${process.pid}`);
      assert.ok(!existsSync(`/etc/varve-cp-swap-${process.pid}`), "a file of this machine was written");
    }
  });
});
