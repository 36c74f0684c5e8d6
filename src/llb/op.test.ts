import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isVarveError } from "../errors/index.ts";
import { decodeOp, encodeOp, opDigest } from "./index.ts";
import type { ExecOp, Op } from "./types.ts";

/** Vertices of real builds with the digests that Docker Engine 28.5 gave them (from its provenance with mode=max). */
const recorded = readFileSync(new URL("../../test/fixtures/llb-encoding/docker-28.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line, revive) as { readonly digest: string; readonly op: Op });

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("base64" in value) || typeof value.base64 !== "string") return value;
  return new Uint8Array(Buffer.from(value.base64, "base64"));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("L05 the digests are those that Docker Engine computes", () => {
  assert.ok(recorded.length > 30);
  for (const { digest, op } of recorded) {
    const bytes = encodeOp(op);
    assert.equal(opDigest(bytes), digest);
    assert.deepEqual(decodeOp(bytes), op);
  }
});

test("L05 fields stand by number, members of a oneof last, and defaults are left out", () => {
  const op: Op = {
    inputs: [],
    constraints: { filter: [] },
    kind: "source",
    source: { identifier: "local://c", attrs: { b: "", a: "1" } },
  };
  const identifier = Buffer.from("local://c").toString("hex");
  assert.equal(hex(encodeOp(op)), `5a001a1a0a09${identifier}12060a016112013112050a01621200`);
});

test("L04 minus one takes ten bytes, and ids of a oneof are written even when 0", () => {
  const op: Op = {
    inputs: [],
    kind: "file",
    file: {
      actions: [
        {
          input: -1,
          secondaryInput: -1,
          output: 0,
          kind: "mkdir",
          mkdir: {
            path: "/c",
            mode: 0o755,
            makeParents: false,
            owner: { user: { kind: "id", id: 0 } },
            timestamp: -1,
          },
        },
      ],
    },
  };
  const minusOne = "ffffffffffffffffff01";
  const mkdir = `0a022f6310ed0322040a02100028${minusOne}`;
  const action = `08${minusOne}10${minusOne}32${(mkdir.length / 2).toString(16)}${mkdir}`;
  const file = `12${(action.length / 2).toString(16)}${action}`;
  assert.equal(hex(encodeOp(op)), `22${(file.length / 2).toString(16)}${file}`);
  assert.deepEqual(decodeOp(encodeOp(op)), op);
});

test("L10 valid exit codes are packed, and read unpacked too", () => {
  const meta: ExecOp["meta"] = {
    args: ["x"],
    env: [],
    cwd: "/",
    user: "",
    extraHosts: [],
    hostname: "",
    ulimit: [],
    cgroupParent: "",
    removeMountStubsRecursive: false,
    validExitCodes: [0, 300],
  };
  const op: Op = {
    inputs: [],
    kind: "exec",
    exec: {
      meta,
      mounts: [],
      network: "unset",
      security: "sandbox",
      secretEnv: [],
      cdiDevices: [],
    },
  };
  assert.ok(hex(encodeOp(op)).endsWith("620300ac02"));
  assert.deepEqual(decodeOp(encodeOp(op)), op);
  assert.deepEqual(decodeOp(Buffer.from("120d0a0b0a01781a012f600060ac02", "hex")), op);
});

test("L01 an unknown field, several kinds at once or no kind are LLB_INVALID", () => {
  for (const bytes of ["f80101", "5a00", "1a030a01611a030a0161", "1a030a016122020800", "0a02", "1a030a01ff", ""]) {
    assert.throws(() => decodeOp(Buffer.from(bytes, "hex")), { code: "LLB_INVALID" }, bytes);
  }
});

test("L42 L43 build and passthrough ops are refused by name", () => {
  assert.throws(() => decodeOp(Buffer.from("2a020801", "hex")), {
    code: "LLB_UNSUPPORTED",
    message: /build op/,
  });
  assert.throws(() => decodeOp(Buffer.from("42030a0161", "hex")), {
    code: "LLB_UNSUPPORTED",
    message: /passthrough op/,
  });
});

test("attributes may have any name, also __proto__", () => {
  const op: Op = {
    inputs: [],
    kind: "source",
    source: {
      identifier: "x",
      attrs: JSON.parse('{"__proto__":"1","z":""}') as Record<string, string>,
    },
  };
  const decoded = decodeOp(encodeOp(op));
  assert.deepEqual(Object.entries(decoded.kind === "source" ? decoded.source.attrs : {}), [
    ["__proto__", "1"],
    ["z", ""],
  ]);
});

test("malformed bytes give LLB_INVALID or LLB_UNSUPPORTED, nothing else", () => {
  const check = (bytes: Uint8Array): void => {
    try {
      decodeOp(bytes);
    } catch (error) {
      assert.ok(isVarveError(error), String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check));
  const valid = recorded.map(({ op }) => encodeOp(op));
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(), fc.nat(255), (which, place, value) => {
      const bytes = Uint8Array.from(valid[which] ?? []);
      bytes[place % bytes.length] = value;
      check(bytes);
      check(bytes.subarray(0, place % bytes.length));
    }),
    { numRuns: 500 },
  );
});
