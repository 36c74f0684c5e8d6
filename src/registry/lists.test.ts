import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaTypes, sha256, type Descriptor } from "../oci/index.ts";
import { answer, connect, imageAt, serve } from "./fake-registry.kit.test.ts";

const subject = sha256("subject");
const describe = (text: string, artifactType?: string): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: sha256(text),
  size: text.length,
  ...(artifactType === undefined ? {} : { artifactType }),
});
const indexOf = (...manifests: Descriptor[]): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

test("O04 tags are listed page by page, of the same registry only", async (t) => {
  const fake = await serve(t, (request, response) => {
    const link = { link: '</v2/app/tags/list?last=b>; rel="next"', "content-type": "application/json" };
    if (request.url === "/v2/app/tags/list")
      return answer(response, 200, link, JSON.stringify({ name: "app", tags: ["a", "b"] }));
    if (request.url?.includes("last=b") === true) {
      const away = { link: '<http://elsewhere.invalid/>; rel="next"' };
      return answer(response, 200, away, JSON.stringify({ tags: ["c"] }));
    }
    if (request.url?.includes("/endless/") === true)
      return answer(response, 200, { link: `<${request.url}>; rel="next"` }, JSON.stringify({ tags: null }));
    answer(response, 200, {}, JSON.stringify({ tags: ["no\nag"] }));
  });
  const client = connect(t, { limits: { maxPages: 3 } });
  assert.deepEqual(await client.listTags(imageAt(fake)), ["a", "b", "c"]);
  await assert.rejects(client.listTags(imageAt(fake, "odd")), { code: "REGISTRY_PROTOCOL" });
  await assert.rejects(client.listTags(imageAt(fake, "endless")), { code: "REGISTRY_TOO_LARGE" });
});

test("referrers are asked of the API, and filtered where it does not", async (t) => {
  const fake = await serve(t, (_request, response) =>
    answer(response, 200, { "content-type": mediaTypes.ociIndex }, indexOf(describe("a", "text/a"), describe("b", "text/b"))),
  );
  const client = connect(t);
  assert.equal((await client.listReferrers(imageAt(fake), subject)).length, 2);
  const found = await client.listReferrers(imageAt(fake), subject, { artifactType: "text/b" });
  assert.deepEqual(
    found.map(({ digest }) => digest),
    [sha256("b")],
  );
  assert.equal(fake.asked[0], `GET /v2/app/referrers/${subject}`);
});

test("without the API referrers are read from the tag that stands in for it, and added there", async (t) => {
  let list = "";
  const fake = await serve(t, (request, response) => {
    const { url = "", method } = request;
    if (url.includes("/referrers/")) return answer(response, 404);
    if (method === "PUT") {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        if (url.endsWith(`/manifests/sha256-${subject.slice(7)}`)) list = body;
        answer(response, 201);
      });
      return;
    }
    if (list === "") return answer(response, 404);
    const headers = { "content-type": mediaTypes.ociIndex, "docker-content-digest": sha256(list), "content-length": list.length };
    answer(response, 200, headers, method === "HEAD" ? "" : list);
  });
  const client = connect(t);
  assert.deepEqual(await client.listReferrers(imageAt(fake), subject), []);
  const bytes = Buffer.from('{"schemaVersion":2}');
  for (let times = 0; times < 2; times += 1) {
    await client.pushReferrer(imageAt(fake), subject, mediaTypes.ociManifest, bytes, { referrer: { artifactType: "text/x" } });
  }
  assert.deepEqual(await client.listReferrers(imageAt(fake), subject), [
    { mediaType: mediaTypes.ociManifest, digest: sha256(bytes), size: bytes.length, artifactType: "text/x" },
  ]);
});
