/** Images put together at their registry, without a pull: imagetools and manifest lists. */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { describeEachWay } from "../kit/each-way.ts";
import { startRegistry, type Registry } from "../kit/registry.ts";

interface Index {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  }[];
}

describeEachWay("image tools", (box) => {
  let registry: Registry;
  const print = async (...args: string[]) => (await box.succeed(args)).stdout.toString();
  const at = (name: string) => `${registry.host}/${name}`;
  const index = async (name: string) => JSON.parse(await print("buildx", "imagetools", "inspect", "--raw", at(name))) as Index;

  before(async () => {
    registry = await startRegistry(box.path("registry"));
    appendFileSync(box.path("varve.toml"), `\n${registry.settings}`);
    for (const architecture of ["amd64", "arm64"]) {
      const context = box.write(architecture, { Dockerfile: `FROM scratch\nCOPY Dockerfile /${architecture}\n` });
      await print("build", "-q", "--platform", `linux/${architecture}`, "-t", at(`one:${architecture}`), context);
      await print("push", "-q", at(`one:${architecture}`));
    }
  });
  after(async () => await registry.stop());

  test("B49 B50 an index is made of images, in another repository too, and shown as buildx shows it", async () => {
    const sources = ["amd64", "arm64"].map((architecture) => at(`one:${architecture}`));
    await print("buildx", "imagetools", "create", "-t", at("one:all"), "-t", at("two:all"), ...sources);
    const made = await index("one:all");
    assert.deepEqual(
      made.manifests.map(({ platform }) => platform),
      [
        { architecture: "amd64", os: "linux" },
        { architecture: "arm64", os: "linux" },
      ],
    );
    assert.deepEqual(await index("two:all"), made);
    const shown = await print("buildx", "imagetools", "inspect", at("two:all"));
    const [first, second] = made.manifests;
    assert.equal(
      shown.replace(/^(Digest: +).*$/m, "$1-"),
      [
        `Name:      ${at("two:all")}`,
        `MediaType: ${made.mediaType}`,
        "Digest:    -",
        "           ",
        "Manifests: ",
        `  Name:      ${at("two:all")}@${first?.digest}`,
        "  MediaType: application/vnd.oci.image.manifest.v1+json",
        "  Platform:  linux/amd64",
        "             ",
        `  Name:      ${at("two:all")}@${second?.digest}`,
        "  MediaType: application/vnd.oci.image.manifest.v1+json",
        "  Platform:  linux/arm64",
        "",
      ]
        .join("\n")
        .replaceAll("application/vnd.oci.image.manifest.v1+json", /MediaType: (\S+)\n {2}Platform/.exec(shown)?.[1] ?? ""),
    );
    assert.match(await print("pull", "-q", "--platform=linux/arm64", at("two:all")), /two:all\n$/);
    const architectures = await print(
      "buildx",
      "imagetools",
      "inspect",
      at("one:all"),
      "--format",
      "{{range $p, $_ := .Image}}{{$p}} {{end}}",
    );
    assert.equal(architectures, "linux/amd64 linux/arm64 ");
  });

  test("B49 append, annotations, platforms, digests and descriptors in files make the index that was asked for", async () => {
    await print("buildx", "imagetools", "create", "-t", at("one:grown"), at("one:arm64"));
    const tools = ["buildx", "imagetools", "create"];
    const notes = ["--annotation", "index:a=b", "--annotation", "manifest-descriptor[linux/amd64]:c=d"];
    await print(...tools, "--append", ...notes, "-t", at("one:grown"), at("one:amd64"));
    const grown = await index("one:grown");
    assert.deepEqual(
      [grown.annotations, grown.manifests.map(({ platform, annotations }) => [platform?.architecture, annotations])],
      [
        { a: "b" },
        [
          ["arm64", undefined],
          ["amd64", { c: "d" }],
        ],
      ],
    );
    const dry = async (...args: string[]) => JSON.parse(await print(...tools, "--dry-run", ...args)) as Index;
    const some = await dry("-p", "linux/arm64", at("one:grown"));
    assert.deepEqual(
      some.manifests.map(({ platform }) => platform?.architecture),
      ["arm64"],
    );
    const digest = grown.manifests[0]?.digest ?? "";
    box.write("sources", {
      "descriptor.json": JSON.stringify({ digest, platform: { os: "linux", architecture: "arm", variant: "v7" } }),
    });
    const other = await dry("-t", at("one:x"), "-f", box.path("sources", "descriptor.json"));
    assert.deepEqual(other.manifests[0]?.platform, { architecture: "arm", os: "linux", variant: "v7" });
    assert.deepEqual((await dry("-t", at("one:x"), digest)).manifests.length, 1);
    assert.equal("manifests" in (await dry("--prefer-index=false", at("one:amd64"))), false);
    for (const [args, said] of [
      [["-t", at("one:x")], /no sources specified/],
      [[at("one:amd64")], /no repositories specified/],
      [["--dry-run", digest], /has no repository/],
      [["--dry-run", "--annotation", "manifest:a=b", at("one:amd64")], /manifest annotations are not supported yet/],
    ] as const) {
      const { code, stderr } = await box.varve([...tools, ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
    }
  });

  test("manifest lists are begun, changed, shown and pushed", async () => {
    const list = at("three:list");
    assert.equal(await print("manifest", "create", list, at("one:amd64"), at("one:arm64")), `Created manifest list ${list}\n`);
    assert.match(
      (await box.varve(["manifest", "create", list, at("one:amd64")])).stderr,
      /refusing to amend an existing manifest list/,
    );
    await print("manifest", "create", "--amend", list, at("one:amd64"));
    await print("manifest", "annotate", "--arch", "arm", "--variant", "v7", list, at("one:arm64"));
    const shown = await print("manifest", "inspect", list);
    const pushed = (await print("manifest", "push", "--purge", list)).trim().split("\n");
    assert.match(pushed.at(-1) ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.equal(await print("buildx", "imagetools", "inspect", "--raw", list), shown.trimEnd());
    assert.deepEqual(
      (await index("three:list")).manifests.map(({ platform }) => platform),
      [
        { architecture: "amd64", os: "linux" },
        { architecture: "arm", os: "linux", variant: "v7" },
      ],
    );
    assert.equal((await box.varve(["manifest", "rm", list])).code, 1, "it was purged");
  });
});
