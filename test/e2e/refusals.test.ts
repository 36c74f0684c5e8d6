/** Builds that cannot be: each says where, what and what to do, ends with its documented code, and writes nothing. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { describeOnce } from "../kit/each-way.ts";

interface Refusal {
  readonly what: string;
  readonly dockerfile: string;
  readonly args?: readonly string[];
  readonly code: number;
  readonly says: readonly RegExp[];
  /** The line of the Dockerfile that is marked. */
  readonly line?: number;
}

const refusals: readonly Refusal[] = [
  {
    what: "U08 a RUN that fails",
    dockerfile: "FROM busybox\nRUN echo working\nRUN echo the last words >&2; exit 42\n",
    code: 1,
    line: 3,
    says: [
      /did not complete successfully: exit code: 42 \[RUN_FAILED\]/,
      /\n > \[3\/3\] RUN echo the last words[^\n]*\n\d+\.\d+ the last words\n/,
    ],
  },
  {
    what: "U08 a RUN of a program that is not there",
    dockerfile: 'FROM busybox\nRUN ["/no/program"]\n',
    code: 1,
    line: 2,
    says: [/\/no\/program/, /\[RU(N|NTIME)_FAILED\]/],
  },
  {
    what: "P02 a typo in an instruction",
    dockerfile: "FROM busybox\nCOPPY a /\n",
    code: 2,
    line: 2,
    says: [/unknown instruction: COPPY/, /did you mean COPY\?/],
  },
  {
    what: "P07 an unknown flag of an instruction",
    dockerfile: "FROM busybox\nCOPY --chwon=1 a /\n",
    code: 2,
    line: 2,
    says: [/unknown flag: (--)?chwon/, /did you mean (--)?chown\?/],
  },
  {
    what: "C06 a COPY of a file that is not there",
    dockerfile: "FROM scratch\nCOPY b.txt /\n",
    code: 1,
    line: 2,
    says: [/"\/b\.txt": not found/, /hint: .*a\.txt/],
  },
  {
    what: "G05 a COPY of a file that the ignore file takes away",
    dockerfile: "FROM scratch\nCOPY a.log /\n",
    code: 1,
    line: 2,
    says: [/not found/, /hint: the pattern "\*\.log" \(\.dockerignore:1\)/],
  },
  {
    what: "S03 a COPY of a file that a stage has not",
    dockerfile: "FROM scratch AS one\nCOPY a.txt /\nFROM scratch\nCOPY --from=one /b /\n",
    code: 1,
    line: 4,
    says: [/"\/b": not found/],
  },
  {
    what: "I01 a base image that no registry has",
    dockerfile: "FROM busybox-that-is-not-there:1\n",
    code: 5,
    line: 1,
    says: [/busybox-that-is-not-there:1/, /\[REGISTRY_[A-Z_]+\]/],
  },
  {
    what: "S02 an unknown target",
    dockerfile: "FROM scratch AS build\nCOPY a.txt /\n",
    args: ["--target=biuld"],
    code: 2,
    says: [/biuld/, /did you mean build\?/],
  },
  {
    what: "S04 a stage that comes later",
    dockerfile:
      "FROM scratch AS early\nCOPY --from=late /x /\nFROM scratch AS late\nCOPY a.txt /\nFROM scratch\nCOPY --from=early /x /\n",
    code: 2,
    line: 2,
    says: [/late/],
  },
  { what: "P12 a file without FROM", dockerfile: "RUN true\n", code: 2, says: [/\[DOCKERFILE_NO_FROM\]/] },
  {
    what: "V04 a variable that must be set",
    dockerfile: "FROM scratch\nARG a\nLABEL a=${a:?say what}\n",
    code: 2,
    line: 3,
    says: [/say what/],
  },
  {
    what: "I11 a user that the image has not",
    dockerfile: "FROM busybox\nUSER nobody-knows\nRUN true\n",
    code: 1,
    line: 3,
    says: [/nobody-knows/],
  },
  {
    what: "R06 an unknown mount option",
    dockerfile: "FROM busybox\nRUN --mount=type=cache,traget=/c true\n",
    code: 2,
    line: 2,
    says: [/traget/, /did you mean target\?/],
  },
  {
    what: "an unknown flag of the command line",
    dockerfile: "FROM scratch\n",
    args: ["--taget=x"],
    code: 2,
    says: [/unknown flag: --taget \[USAGE\]/, /did you mean --ta(rget|g)\?/],
  },
  {
    what: "B20 a text that is no platform",
    dockerfile: "FROM scratch\nCOPY a.txt /\n",
    args: ["--platform=linux/amd64/v1/x"],
    code: 2,
    says: [/is not a platform \[PLATFORM_INVALID\]/],
  },
];

describeOnce("a refused build", (box) => {
  for (const { what, dockerfile, args = [], code, says, line } of refusals) {
    test(`${what}: exit code ${code}, ${line === undefined ? "" : "the line, "}and no output`, async () => {
      const out = box.path(`out-${refusals.findIndex((one) => one.what === what)}`);
      mkdirSync(out);
      writeFileSync(`${out}/precious.tar`, "precious");
      const outputs = [
        "-o",
        `type=oci,dest=${out}/precious.tar`,
        "-o",
        `type=local,dest=${out}/folder`,
        "-o",
        `type=tar,dest=${out}/new.tar`,
      ];
      const files = { Dockerfile: dockerfile, "a.txt": "a", "a.log": "log", ".dockerignore": "*.log\n" };
      const result = await box.build(files, [...outputs, "-t", "refused", `--metadata-file=${out}/metadata.json`, ...args]);
      assert.equal(result.code, code, result.stderr);
      assert.equal(result.stdout.toString(), "");
      for (const words of says) assert.match(result.stderr, words);
      if (line !== undefined) {
        assert.match(result.stderr, new RegExp(`^Dockerfile:${line}$`, "m"));
        assert.match(result.stderr, new RegExp(`^ +${line} \\| >>> `, "m"));
      }
      assert.deepEqual(readdirSync(out), ["precious.tar"]);
      assert.equal(readFileSync(`${out}/precious.tar`, "utf8"), "precious");
      assert.equal((await box.succeed(["images", "-q", "refused"])).stdout.toString(), "");
    });
  }

  test("B13 a build that fails leaves no image ID of an earlier one", async () => {
    const iidfile = box.path("image.id");
    assert.equal((await box.build({ Dockerfile: "FROM scratch\nLABEL a=b\n" }, [`--iidfile=${iidfile}`])).code, 0);
    assert.match(readFileSync(iidfile, "utf8"), /^sha256:[0-9a-f]{64}$/);
    assert.equal((await box.build({ Dockerfile: "FROM scratch\nCOPY b /\n" }, [`--iidfile=${iidfile}`])).code, 1);
    assert.throws(() => readFileSync(iidfile), { code: "ENOENT" });
  });

  test("an output that cannot be written is refused with its path", async () => {
    const result = await box.build({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" }, [
      "-o",
      `type=oci,dest=${box.path("varve.toml/no.tar")}`,
    ]);
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stderr, /varve\.toml/);
  });

  test("commands on images that are not there end with 1", async () => {
    for (const args of [
      ["inspect", "nothing"],
      ["history", "nothing"],
      ["rmi", "nothing"],
      ["tag", "nothing", "x"],
      ["save", "-o", box.path("n.tar"), "nothing"],
    ]) {
      const { code, stderr } = await box.varve(args);
      assert.equal(code, 1, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, /nothing/);
    }
    assert.deepEqual(
      readdirSync(box.folder).filter((name) => name === "n.tar"),
      [],
    );
  });
});
