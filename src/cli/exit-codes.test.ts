import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue, VarveError, type ErrorCode } from "../errors/index.ts";
import { exitCodeOf, exitCodeOfKind, exitCodes } from "./exit-codes.ts";
import { BrokenPipe } from "./io.ts";

test("every error code ends with a documented exit code that is not 0", () => {
  for (const code of Object.keys(catalogue) as ErrorCode[]) {
    const exitCode = exitCodeOf(new VarveError(code, "something went wrong"));
    assert.ok(exitCode in exitCodes, code);
    assert.notEqual(exitCode, 0, code);
  }
});

test("every kind of error that is in use has an exit code", () => {
  for (const { kind } of Object.values(catalogue)) assert.ok(Object.hasOwn(exitCodeOfKind, kind), kind);
});

test("registries, signals, broken pipes and defects have codes of their own", () => {
  assert.equal(exitCodeOf(new VarveError("REGISTRY_NOT_FOUND", "x")), 5);
  assert.equal(exitCodeOf(new VarveError("REGISTRY_DENIED", "x")), 5);
  assert.equal(exitCodeOf(new VarveError("REGISTRY_CONFIG", "x")), 2);
  assert.equal(exitCodeOf(new VarveError("DISK_FULL", "x")), 4);
  assert.equal(exitCodeOf(new VarveError("CANCELED", "x", { details: { signal: "SIGINT" } })), 130);
  assert.equal(exitCodeOf(new VarveError("CANCELED", "x", { details: { signal: "SIGTERM" } })), 143);
  assert.equal(exitCodeOf(new BrokenPipe(undefined)), 141);
  assert.equal(exitCodeOf(new TypeError("x")), 70);
});
