import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "../../oci/index.ts";
import type { ImageTree } from "../../engine/index.ts";
import { formatImageTree } from "./image-tree.ts";

const usage = (contentBytes: number, diskBytes: number, inUse = false) => ({ contentBytes, diskBytes, inUse });
const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
const trees: readonly ImageTree[] = [
  {
    id: digest("5"),
    image: digest("a"),
    names: ["several:latest"],
    usage: usage(2330, 10_500),
    platforms: [
      { id: digest("a"), platform: "linux/amd64", usage: usage(1160, 9360) },
      { id: digest("4"), platform: "linux/arm64", usage: usage(1160, 1160) },
    ],
  },
];
const one: ImageTree = {
  id: digest("4"),
  image: digest("4"),
  names: ["host:5000/library/golang:1.26-bookworm", "golang:1.26-bookworm"],
  usage: usage(132e6, 600e6, true),
  platforms: [{ id: digest("b"), platform: "linux/amd64", usage: usage(132e6, 600e6, true) }],
};

test("the tree of images has Docker's columns, as wide as the names need", () => {
  assert.equal(
    formatImageTree(trees, { columns: 80, colors: false }),
    [
      "                                                              Info ->  U In Use ",
      "",
      "IMAGE                ID             DISK USAGE   CONTENT SIZE   EXTRA",
      "several:latest       555555555555       10.5kB         2.33kB        ",
      "├─ linux/amd64       aaaaaaaaaaaa       9.36kB         1.16kB        ",
      "└─ linux/arm64       444444444444       1.16kB         1.16kB        ",
      "",
      "",
    ].join("\n"),
  );
});

test("of several names the last one has the columns; long ones are cut, and what is in use is marked", () => {
  assert.equal(
    formatImageTree([one, { ...one, names: ["localhost:5000/library/golang:1.26"] }, { ...one, names: [] }], {
      columns: 80,
      colors: false,
    })
      .split("\n")
      .slice(2)
      .join("\n"),
    [
      "IMAGE                           ID             DISK USAGE   CONTENT SIZE   EXTRA",
      "host:5000/library/golang:1.26-bookworm",
      "golang:1.26-bookworm            444444444444        600MB          132MB   U    ",
      "└─ linux/amd64                  bbbbbbbbbbbb        600MB          132MB   U    ",
      "",
      "localhost:5000/library/golan…   444444444444        600MB          132MB   U    ",
      "└─ linux/amd64                  bbbbbbbbbbbb        600MB          132MB   U    ",
      "",
      "<untagged>                      444444444444        600MB          132MB   U    ",
      "└─ linux/amd64                  bbbbbbbbbbbb        600MB          132MB   U    ",
      "",
      "",
    ].join("\n"),
  );
});

test("a narrow terminal loses the last columns; colours are a terminal's", () => {
  const narrow = formatImageTree(trees, { columns: 60, colors: false }).split("\n");
  assert.equal(narrow[2], "IMAGE               ID             DISK USAGE   CONTENT SIZE");
  const colored = formatImageTree(trees, { columns: 80, colors: true });
  assert.ok(colored.includes(`\x1b[34m\x1b[1mseveral:latest\x1b[0m       \x1b[39m${"5".repeat(12)}\x1b[0m`), colored);
});
