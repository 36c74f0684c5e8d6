import type { Duplex } from "node:stream";

/** The requests that only read: list the keys, sign with one. (draft-miller-ssh-agent, section 5.1, "Message numbers") */
const readingRequests: ReadonlySet<number> = new Set([11, 13]);
/** SSH_AGENT_FAILURE, as a whole message. */
const failure = Buffer.from([0, 0, 0, 1, 5]);
/** OpenSSH's limit for one message of an agent, in bytes. */
const maxMessageBytes = 256 * 1024;

/**
 * Carries messages between a client and an agent until either ends. Whatever would change the agent (adding and removing
 * keys, locking, extensions) is answered with a failure and never reaches it (B30). One request at a time, so that answers
 * cannot change places. Both streams are destroyed at the end.
 */
export async function relayAgent(client: Duplex, agent: Duplex): Promise<void> {
  const requests = readMessages(client);
  const replies = readMessages(agent);
  try {
    for await (const request of requests) {
      if (!readingRequests.has(request[4] ?? 0)) {
        await write(client, failure);
        continue;
      }
      await write(agent, request);
      const reply = await replies.next();
      if (reply.done === true) return;
      await write(client, reply.value);
    }
  } finally {
    client.destroy();
    agent.destroy();
  }
}

/** Whole messages, each with its length before it. Ends at the end of the stream, and at a message that cannot be. */
async function* readMessages(stream: Duplex): AsyncGenerator<Buffer, undefined> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 4) {
      const length = held.readUInt32BE(0);
      if (length === 0 || length > maxMessageBytes) return;
      if (held.length < 4 + length) break;
      yield held.subarray(0, 4 + length);
      held = held.subarray(4 + length);
    }
  }
}

function write(stream: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve())));
}
