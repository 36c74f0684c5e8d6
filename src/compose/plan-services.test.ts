import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { containerOf, observedOf, projectOf } from "./project-fixture.test.ts";
import { planServices, type PlanInput } from "./plan-services.ts";

const project = projectOf({
  db: { image: "db" },
  web: { image: "web", scale: 2, depends_on: { db: { condition: "service_started", required: true } } },
});
const wanted = { db: { configHash: "hash", imageId: "image" }, web: { configHash: "hash", imageId: "image" } };
const base = { services: Object.values(project.services), wanted };

function planned(input: Partial<PlanInput>): readonly string[] {
  return planServices({ ...base, observed: [], ...input }).flatMap(({ service, steps }) =>
    steps.map((step) => `${step.kind === "keep" && step.start ? "start" : step.kind} ${service.name}-${step.number}`),
  );
}

const running = [containerOf("db", 1), containerOf("web", 1), containerOf("web", 2)];

test("M83 where nothing is there everything is created, dependencies first", () => {
  assert.deepEqual(planned({}), ["create db-1", "create web-1", "create web-2"]);
});

test("M82 what is as asked for is kept, and started where it does not run", () => {
  assert.deepEqual(planned({ observed: observedOf(...running) }), ["keep db-1", "keep web-1", "keep web-2"]);
  const stopped = containerOf("db", 1, { status: "exited" });
  assert.deepEqual(planned({ observed: observedOf(stopped, ...running.slice(1)) })[0], "start db-1");
  const paused = containerOf("db", 1, { status: "paused" });
  assert.deepEqual(planned({ observed: observedOf(paused, ...running.slice(1)) })[0], "start db-1");
});

test("M82 another hash or another image makes the service's containers anew, and no others", () => {
  const other = { ...wanted, web: { configHash: "new", imageId: "image" } };
  assert.deepEqual(planned({ observed: observedOf(...running), wanted: other }), [
    "keep db-1",
    "recreate web-1",
    "recreate web-2",
  ]);
  const image = { ...wanted, db: { configHash: "hash", imageId: "newer" } };
  assert.deepEqual(planned({ observed: observedOf(...running), wanted: image }), ["recreate db-1", "keep web-1", "keep web-2"]);
});

test("M22 --no-recreate keeps what differs; --force-recreate makes anew what is named, and dependencies only if asked", () => {
  const other = { db: { configHash: "new", imageId: "x" }, web: { configHash: "new", imageId: "x" } };
  const observed = observedOf(...running);
  assert.deepEqual(planned({ observed, wanted: other, recreate: "never", recreateDependencies: "never" }), [
    "keep db-1",
    "keep web-1",
    "keep web-2",
  ]);
  assert.deepEqual(planned({ observed, recreate: "force", named: ["web"] }), ["keep db-1", "recreate web-1", "recreate web-2"]);
  assert.deepEqual(planned({ observed, recreateDependencies: "force", named: ["web"] }), [
    "recreate db-1",
    "keep web-1",
    "keep web-2",
  ]);
});

test("M22 a smaller scale removes what is obsolete first, then the highest numbers; a larger one counts on", () => {
  const stale = containerOf("web", 1, { hash: "old" });
  assert.deepEqual(planned({ observed: observedOf(running[0]!, stale, running[2]!), scale: { web: 1 } }), [
    "keep db-1",
    "remove web-1",
    "keep web-2",
  ]);
  assert.deepEqual(planned({ observed: observedOf(...running), scale: { web: 3, db: 0 } }), [
    "remove db-1",
    "keep web-1",
    "keep web-2",
    "create web-3",
  ]);
});

test("M67 a service in the network of another one is made anew with it", () => {
  const shared = projectOf({
    db: { image: "db" },
    side: { image: "side", network_mode: "service:db", depends_on: { db: { condition: "service_started", required: true } } },
  });
  const plan = planServices({
    services: Object.values(shared.services),
    observed: observedOf(containerOf("db", 1, { hash: "old" }), containerOf("side", 1)),
    wanted: { db: wanted.db, side: wanted.db },
  });
  assert.deepEqual(
    plan.flatMap(({ steps }) => steps.map(({ kind }) => kind)),
    ["recreate", "recreate"],
  );
});

test("M80 a container name of its own allows one container", () => {
  const { services } = projectOf({ web: { image: "web", container_name: "the-web" } });
  assert.throws(() => planServices({ services: Object.values(services), observed: [], wanted: {}, scale: { web: 2 } }), {
    code: "SERVICE_INVALID",
  });
});

test("M82 whatever was there, the plan ends with as many containers as asked for, each number once", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 6 }), fc.boolean(), (there, scale, isStale) => {
      const observed = observedOf(...there.map((number) => containerOf("db", number, { hash: isStale ? "old" : "hash" })));
      const [plan] = planServices({ services: [project.services["db"]!], observed, wanted, scale: { db: scale } });
      const left = plan!.steps.filter(({ kind }) => kind !== "remove").map(({ number }) => number);
      assert.equal(left.length, scale);
      assert.equal(new Set(left).size, scale);
      const removed = plan!.steps.filter(({ kind }) => kind === "remove");
      assert.equal(removed.length, Math.max(0, there.length - scale));
    }),
  );
});
