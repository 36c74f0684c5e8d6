import assert from "node:assert/strict";
import { test } from "node:test";
import { isVarveError } from "../errors/index.ts";
import fc from "fast-check";
import {
  canonicalName,
  familiarName,
  familiarReference,
  formatReference,
  isReference,
  parseReference,
  sha256,
  withDefaultTag,
} from "./index.ts";

const digest = sha256("x");

test("I01 short names mean the Docker Hub and its library", () => {
  for (const [text, full, familiar] of [
    ["alpine", "docker.io/library/alpine", "alpine"],
    ["alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"],
    ["docker.io/alpine", "docker.io/library/alpine", "alpine"],
    ["index.docker.io/alpine", "docker.io/library/alpine", "alpine"],
    ["user/app", "docker.io/user/app", "user/app"],
    ["docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"],
    ["localhost/app", "localhost/app", "localhost/app"],
    ["localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"],
    ["localhost:5000/app", "localhost:5000/app", "localhost:5000/app"],
    ["[::1]:5000/app:v1", "[::1]:5000/app:v1", "[::1]:5000/app:v1"],
    ["Host/app", "Host/app", "Host/app"],
    [`example.com/a__b/c-d.e:T_ag@${digest}`, `example.com/a__b/c-d.e:T_ag@${digest}`, `example.com/a__b/c-d.e:T_ag@${digest}`],
  ] as const) {
    const ref = parseReference(text);
    assert.equal(formatReference(ref), full);
    assert.equal(familiarReference(ref), familiar);
    assert.deepEqual(parseReference(formatReference(ref)), ref);
    assert.deepEqual(parseReference(familiarReference(ref)), ref);
  }
  const ref = parseReference(`alpine:3@${digest}`);
  assert.deepEqual(
    [canonicalName(ref), familiarName(ref), ref.tag, ref.digest],
    ["docker.io/library/alpine", "alpine", "3", digest],
  );
});

test("the default tag stands in only for a missing tag and digest", () => {
  assert.equal(withDefaultTag(parseReference("alpine")).tag, "latest");
  assert.equal(withDefaultTag(parseReference("alpine:3")).tag, "3");
  assert.equal(withDefaultTag(parseReference(`alpine@${digest}`)).tag, undefined);
});

test("what is no reference is refused with the reason", () => {
  for (const [text, message] of [
    ["", /empty/],
    ["Alpine", /lowercase/],
    ["user/App:v1", /lowercase/],
    ["https://example.com/app", /scheme/],
    [digest.slice(7), /image ID/],
    ["app:", /the tag is empty/],
    [`app:${"a".repeat(129)}`, /is not a tag/],
    ["app:.x", /is not a tag/],
    ["app@sha256:12", /is not a digest/],
    ["a b", /white space/],
    ["app$", /cannot hold "\$"/],
    ["-app", /each part/],
    ["a//b", /between slashes/],
    ["example.com/", /empty/],
    [":tag", /empty/],
    ["-bad.host/app", /registry's host/],
    [`example.com/${"a".repeat(256)}`, /at most 255/],
    ["a".repeat(5000), /longer than/],
    ["app:1:2", /is not a tag/],
  ] as const) {
    assert.throws(() => parseReference(text), { code: "REFERENCE_INVALID", message });
    assert.equal(isReference(text), false);
  }
  assert.throws(() => parseReference("MyApp:V1"), { hint: 'write "myapp:V1"' });
});

test("whatever is accepted prints to a text that parses to the same value", () => {
  const part = fc.stringMatching(/^[a-zA-Z0-9._:@/[\]-]{0,20}$/);
  fc.assert(
    fc.property(part, (text) => {
      fc.pre(isReference(text));
      const ref = parseReference(text);
      assert.deepEqual(parseReference(formatReference(ref)), ref);
      assert.deepEqual(parseReference(familiarReference(ref)), ref);
    }),
  );
});

test("any text is a reference, or REFERENCE_INVALID, and long ones take no longer than they should", { timeout: 60_000 }, () => {
  const text = fc.oneof(
    fc.string({
      unit: fc.constantFrom(
        "a",
        "A",
        "0",
        ".",
        "_",
        "__",
        "-",
        ":",
        "/",
        "@",
        "sha256:",
        "[",
        "]",
        "::",
        "localhost",
        "\u00e9",
        "\0",
      ),
      maxLength: 40,
    }),
    fc.string({ unit: "binary" }),
  );
  const attempt = (name: string): void => {
    try {
      assert.deepEqual(parseReference(formatReference(parseReference(name))), parseReference(name));
    } catch (error) {
      assert.ok(isVarveError(error) && /^(?:REFERENCE|DIGEST)_INVALID$/.test(error.code), String(error));
    }
  };
  fc.assert(fc.property(text, attempt), { numRuns: 3_000, interruptAfterTimeLimit: 20_000 });
  for (const part of ["a-", "a.", "a_", "a/", "a--", "0:", "@a", "a__"]) attempt(part.repeat(50_000));
});
