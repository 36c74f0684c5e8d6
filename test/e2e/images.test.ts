/** The image store's commands, and images as the base of other builds. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { listArchive, readEntry } from "../kit/archive.ts";
import { describeEachWay } from "../kit/each-way.ts";
import { logOf, stepsRun } from "../kit/progress.ts";

interface Inspected {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly Config: Readonly<Record<string, unknown>>;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Size: number;
}

describeEachWay("images", (box) => {
  const print = async (...args: string[]) => (await box.succeed(args)).stdout.toString();
  const inspect = async (name: string) => (JSON.parse(await print("inspect", name)) as Inspected[])[0];
  let id = "";

  test("B31 a build gives its image all its names, and images lists them", async () => {
    const files = {
      Dockerfile: 'FROM busybox\nRUN echo first > /first\nENV KEPT=yes\nENTRYPOINT ["/bin/echo"]\nONBUILD RUN echo triggered\n',
    };
    assert.equal((await box.build(files, ["-t", "first:1", "-t", "example.org/first"])).code, 0);
    id = (await inspect("first:1"))?.Id ?? "";
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    const lines = (await print("images")).split("\n");
    assert.match(lines[0] ?? "", /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
    assert.match(lines.join("\n"), new RegExp(`^first +1 +${id.slice(7, 19)} +.*MB$`, "m"));
    assert.match(lines.join("\n"), new RegExp(`^example\\.org/first +latest +${id.slice(7, 19)} `, "m"));
    assert.equal(await print("images", "-q", "--no-trunc", "first"), `${id}\n`);
  });

  test("inspect and history show what the Dockerfile said", async () => {
    const image = await inspect(id.slice(7, 19));
    assert.deepEqual(image?.RepoTags.toSorted(), ["example.org/first:latest", "first:1"]);
    assert.deepEqual(image?.Config["Entrypoint"], ["/bin/echo"]);
    assert.deepEqual(image?.Config["OnBuild"], ["RUN echo triggered"]);
    assert.ok((image?.Size ?? 0) > 1000);
    const history = (await print("history", "--no-trunc", "--format", "{{.CreatedBy}}", "first:1")).split("\n");
    assert.deepEqual(history.slice(0, 3), [
      'ENTRYPOINT ["/bin/echo"]',
      "ENV KEPT=yes",
      "RUN /bin/sh -c echo first > /first # buildkit",
    ]);
  });

  test("I01 I17 I20 an image of the store is a base, with its config, its files and its triggers, and asks no registry", async () => {
    const built = await box.build({ Dockerfile: "FROM first:1\nRUN cat /first; echo KEPT=$KEPT\n" }, ["-t", "second"]);
    assert.equal(built.code, 0, built.stderr);
    assert.deepEqual(logOf(built.stderr, "RUN cat"), ["first", "KEPT=yes"]);
    assert.deepEqual(
      stepsRun(built.stderr),
      ["ONBUILD RUN echo triggered", "RUN cat /first; echo KEPT=$KEPT"].map((step) => step.replace("$KEPT", "yes")),
    );
    const [first, second] = [await inspect("first:1"), await inspect("second")];
    assert.deepEqual(second?.RootFS.Layers.slice(0, first?.RootFS.Layers.length), first?.RootFS.Layers);
    assert.deepEqual(second?.Config["Entrypoint"], ["/bin/echo"]);
    const copied = await box.build({ Dockerfile: "FROM scratch\nCOPY --from=first:1 /first /\n" }, ["-o", "-"]);
    assert.equal(readEntry(copied.stdout, "first").toString(), "first\n", copied.stderr);
  });

  test("tag, save, rmi and load bring an image back as it was", async () => {
    await print("tag", "first:1", "copy:2");
    await print("save", "-o", box.path("saved.tar"), "copy:2", "second");
    const piped = await box.succeed(["save", "copy:2", "second"]);
    assert.deepEqual(piped.stdout, readFileSync(box.path("saved.tar")));
    const secondId = (await inspect("second"))?.Id;
    assert.equal(await print("rmi", "copy:2"), "Untagged: copy:2\n");
    assert.equal((await box.varve(["rmi", id])).code, 1, "an ID with several names needs --force");
    assert.match(
      await print("rmi", "first:1", "example.org/first", "second"),
      new RegExp(`^Untagged: first:1\nUntagged: example.org/first:latest\nDeleted: ${id}\n`),
    );
    assert.equal(await print("images", "-q", "--format", "{{.ID}}", "second"), "");
    assert.equal(await print("load", "-i", box.path("saved.tar")), "Loaded image: copy:2\nLoaded image: second:latest\n");
    assert.equal((await inspect("copy:2"))?.Id, id);
    assert.equal((await inspect("second"))?.Id, secondId);
    const fed = await box.succeed(["load", "-q"], { input: piped.stdout, store: "fresh" });
    assert.match(fed.stdout.toString(), /copy:2/);
    const rebuilt = await box.build({ Dockerfile: "FROM copy:2\nRUN cat /first\n" }, [], { store: "fresh" });
    assert.deepEqual(logOf(rebuilt.stderr, "RUN cat"), ["first"], rebuilt.stderr);
  });

  test("B20 save takes all platforms of a name, or those asked for, and images --tree shows them", async () => {
    const files = { Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /own\n", amd64: "a", arm64: "b" };
    const made = await box.build(files, ["--platform=linux/amd64,linux/arm64", "-t", "several"]);
    assert.equal(made.code, 0, made.stderr);
    const save = async (...args: string[]) => {
      const { stdout } = await box.succeed(["save", ...args, "several"]);
      const read = (name: string) => JSON.parse(readEntry(stdout, name).toString()) as unknown;
      const { manifests } = read("index.json") as { readonly manifests: readonly { readonly mediaType: string }[] };
      const named = read("manifest.json") as readonly { readonly RepoTags: readonly string[] }[];
      const blobs = listArchive(stdout).filter((name) => /^blobs\/sha256\/./.test(name));
      return {
        kinds: manifests.map(({ mediaType }) => mediaType.replace(/.*image\./, "")),
        names: named.flatMap((each) => each.RepoTags),
        blobs,
      };
    };
    const whole = await save();
    assert.deepEqual([whole.kinds, whole.names, whole.blobs.length], [["index.v1+json"], ["several:latest"], 7]);
    const one = await save("--platform=linux/arm64");
    assert.deepEqual([one.kinds, one.names, one.blobs.length], [["manifest.v1+json"], ["several:latest"], 3]);
    assert.ok(one.blobs.every((blob) => whole.blobs.includes(blob)));
    const missing = await box.varve(["save", "--platform=linux/s390x", "several"]);
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /image with reference several:latest was found but does not provide the specified platform \(linux\/s390x\)/,
    );
    const { stdout, stderr } = await box.succeed(["images", "--tree", "several"]);
    assert.match(stderr, /^WARNING: This is an experimental feature\./);
    const rows =
      /^several:latest {7}[0-9a-f]{12} .*\n├─ linux\/amd64 {7}[0-9a-f]{12} .*\n└─ linux\/arm64 {7}[0-9a-f]{12} .*\n\n$/m;
    assert.match(stdout.toString(), rows);
  });

  test("pull gets an image once, and tells whether it is news", async () => {
    const first = await print("pull", "busybox");
    assert.match(first, /Digest: sha256:[0-9a-f]{64}\nStatus: (Downloaded newer image|Image is up to date) for busybox:latest\n/);
    assert.match(await print("pull", "busybox"), /Status: Image is up to date for busybox:latest\n/);
    assert.equal(await print("pull", "-q", "busybox"), "docker.io/library/busybox:latest\n");
    assert.ok((await inspect("busybox"))?.RepoTags.includes("busybox:latest"));
  });
});
