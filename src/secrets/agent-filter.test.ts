import assert from "node:assert/strict";
import { duplexPair, type Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { relayAgent } from "./agent-filter.ts";

const message = (type: number, body: Uint8Array = Buffer.alloc(0)): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(1 + body.length);
  return Buffer.concat([length, Buffer.from([type]), body]);
};
const failure = message(5);
const [list, sign] = [11, 13];
const changing = [1, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 0, 255];

/** An agent that answers each request with type 12 and the request's type; it keeps what it heard. */
function openRelay(): { readonly client: Duplex; readonly heard: number[]; readonly done: Promise<void> } {
  const [client, clientEnd] = duplexPair();
  const [agentEnd, agent] = duplexPair();
  const heard: number[] = [];
  agent.on("data", (chunk: Buffer) => {
    heard.push(chunk[4] ?? -1);
    agent.write(message(12, chunk.subarray(4, 5)));
  });
  return { client, heard, done: relayAgent(clientEnd, agentEnd) };
}

async function readBytes(stream: Duplex, count: number): Promise<Buffer> {
  let got = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    got = Buffer.concat([got, chunk as Buffer]);
    if (got.length >= count) break;
  }
  return got;
}

test("B30 listing keys and signing reach the agent, everything else is answered with a failure", async () => {
  const { client, heard, done } = openRelay();
  for (const type of changing) {
    client.write(message(type, Buffer.from("body")));
    assert.deepEqual(await readBytes(client, failure.length), failure, `type ${type}`);
  }
  for (const type of [list, sign]) {
    client.write(message(type));
    assert.deepEqual(await readBytes(client, 6), message(12, Buffer.from([type])));
  }
  assert.deepEqual(heard, [list, sign]);
  client.end();
  await done;
});

test("B30 requests may come in any pieces, several at a time; answers keep their order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(list, sign, 17, 27), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      async (types, piece) => {
        const { client, heard, done } = openRelay();
        const bytes = Buffer.concat(types.map((type) => message(type)));
        for (let at = 0; at < bytes.length; at += piece) client.write(bytes.subarray(at, at + piece));
        const expected = Buffer.concat(
          types.map((type) => (type === list || type === sign ? message(12, Buffer.from([type])) : failure)),
        );
        assert.deepEqual(await readBytes(client, expected.length), expected);
        assert.deepEqual(
          heard,
          types.filter((type) => type === list || type === sign),
        );
        client.end();
        await done;
      },
    ),
    { numRuns: 30 },
  );
});

test("B30 a message that is empty or too long ends the connection", async () => {
  for (const length of [
    [0, 0, 0, 0],
    [0, 4, 0, 1],
    [255, 255, 255, 255],
  ]) {
    const { client, heard, done } = openRelay();
    client.write(Buffer.from([...length, 11, 0, 0]));
    await done;
    assert.deepEqual(heard, []);
  }
});
