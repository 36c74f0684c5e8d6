import assert from "node:assert/strict";
import { test } from "node:test";
import { formatStatus, formatTime } from "./rawjson.ts";

const time = Date.UTC(2026, 0, 31, 12, 0, 0, 120);

test("U05 times are Go's RFC 3339: no zeros at the end of the fraction", () => {
  assert.equal(formatTime(time), "2026-01-31T12:00:00.12Z");
  assert.equal(formatTime(time - 120), "2026-01-31T12:00:00Z");
  assert.equal(formatTime(time + 3), "2026-01-31T12:00:00.123Z");
});

test("U05 a vertex leaves out what is empty, and says why it ran", () => {
  assert.equal(
    formatStatus({ type: "vertex", time, vertex: "sha256:a", name: "RUN a && b", inputs: [] }),
    '{"vertexes":[{"digest":"sha256:a","name":"RUN a \\u0026\\u0026 b"}]}',
  );
  assert.deepEqual(
    JSON.parse(
      formatStatus({
        type: "vertex",
        time,
        vertex: "b",
        name: "B",
        inputs: ["a"],
        started: time,
        completed: time,
        cached: false,
        error: "stopped",
        canceled: true,
        reason: { kind: "first-time" },
      }),
    ),
    {
      vertexes: [
        {
          digest: "b",
          inputs: ["a"],
          name: "B",
          started: "2026-01-31T12:00:00.12Z",
          completed: "2026-01-31T12:00:00.12Z",
          error: "stopped: context canceled",
          reason: { kind: "first-time" },
        },
      ],
    },
  );
});

test("U05 statuses and logs have BuildKit's fields", () => {
  const common = { time, vertex: "v", current: 5, started: time } as const;
  const status = (id: string, total = 0) => formatStatus({ type: "status", ...common, id, name: id, total });
  assert.equal(
    status("transferring context:"),
    '{"statuses":[{"id":"transferring context:","vertex":"v","name":"transferring","current":5,"timestamp":"2026-01-31T12:00:00.12Z","started":"2026-01-31T12:00:00.12Z"}]}',
  );
  assert.equal(
    status("exporting layers", 9),
    '{"statuses":[{"id":"exporting layers","vertex":"v","total":9,"current":5,"timestamp":"2026-01-31T12:00:00.12Z","started":"2026-01-31T12:00:00.12Z"}]}',
  );
  assert.equal(
    formatStatus({ type: "log", time, vertex: "v", stream: 2, data: Buffer.from("err\n") }),
    '{"logs":[{"vertex":"v","stream":2,"data":"ZXJyCg==","timestamp":"2026-01-31T12:00:00.12Z"}]}',
  );
});
