/** The same input gives the same bytes, whoever builds, where and when. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, utimesSync } from "node:fs";
import { test } from "node:test";
import { readOciArchive } from "../kit/archive.ts";
import { describeEachWay, describeOnce } from "../kit/each-way.ts";
import { makeSandbox } from "../kit/sandbox.ts";
import { ways } from "../kit/ways.ts";

const files = {
  Dockerfile: [
    "FROM busybox AS tools",
    "RUN echo made > /made && touch -d @1000000000 /made && mkdir -m 2750 /kept && chown 5:6 /kept && touch -d @1000000000 /kept",
    "FROM scratch",
    "WORKDIR /deep/work",
    "COPY --chown=1000:1000 --chmod=755 src/ ./",
    "COPY --from=tools /made /",
    "COPY --from=tools /kept /kept/",
    "COPY --link a.txt /linked/",
    "COPY <<EOF /etc/motd",
    "hello",
    "EOF",
    'ENTRYPOINT ["/x"]',
  ].join("\n"),
  "a.txt": "a",
  "src/b.txt": "b",
  "src/c/d": "d".repeat(100_000),
};

describeEachWay("reproducible builds", (box) => {
  test("T44 another folder, another store, another time and no cache: the same archives, byte for byte", async () => {
    const first = box.write("first", files);
    for (const name of ["a.txt", "src/b.txt", "src/c/d", "src/c", "src", "."])
      utimesSync(`${first}/${name}`, 1_600_000_000, 1_600_000_000);
    symlinkSync("b.txt", `${first}/src/link`);
    execFileSync("cp", ["-a", first, box.path("second")]);
    const build = async (context: string, name: string, store: string, ...more: string[]) => {
      const made = box.path(name);
      await box.succeed(
        [
          "build",
          "-t",
          "same",
          "-o",
          `type=oci,dest=${made}.oci`,
          "-o",
          `type=docker,dest=${made}.docker`,
          "-o",
          `type=tar,dest=${made}.tar`,
          ...more,
          context,
        ],
        { store },
      );
      return ["oci", "docker", "tar"].map((type) => readFileSync(`${made}.${type}`));
    };
    const reference = await build(first, "one", "store");
    const others = [
      await build(first, "cached", "store"),
      await build(box.path("second"), "moved", "another-store"),
      await build(box.path("second"), "anew", "store", "--no-cache"),
    ];
    for (const other of others)
      other.forEach((archive, index) => assert.ok(archive.equals(reference[index] ?? Buffer.alloc(0)), "the archives differ"));
    const { config } = readOciArchive(reference[0] ?? Buffer.alloc(0));
    assert.equal(config["created"], "1970-01-01T00:00:00Z");
  });

  test("T44 A06 SOURCE_DATE_EPOCH is the time of the image", async () => {
    const { code, stdout, stderr } = await box.build({ Dockerfile: "FROM scratch\nLABEL a=b\n" }, [
      "--build-arg",
      "SOURCE_DATE_EPOCH=1000000000",
      "-o",
      "type=oci,dest=-",
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(readOciArchive(stdout).config["created"], "2001-09-09T01:46:40Z");
  });
});

describeOnce("whoever builds", () => {
  const skip =
    ways.length > 1
      ? {}
      : { skip: "these tests run as an ordinary user, or nobody has subordinate ids: there are no two ways to compare" };
  test("O02 root and an ordinary user make the same image, digest for digest", skip, async (t) => {
    const archives = [];
    for (const way of ways) {
      const box = makeSandbox(way);
      t.after(async () => await box.remove());
      const context = box.write("context", files);
      for (const name of ["a.txt", "src/b.txt", "src/c/d", "src/c", "src", "."])
        utimesSync(`${context}/${name}`, 1_600_000_000, 1_600_000_000);
      archives.push((await box.succeed(["build", "-o", "type=oci,dest=-", context])).stdout);
    }
    const [asRoot, asUser] = archives.map((archive) => readOciArchive(archive).configDigest);
    assert.equal(asRoot, asUser);
    assert.ok(archives[0]?.equals(archives[1] ?? Buffer.alloc(0)), "the archives differ");
  });
});
