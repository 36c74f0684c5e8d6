import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import schemaFile from "./schema/compose-spec.json" with { type: "json" };
import { sections, type Kind, type Shape } from "./shapes.ts";

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}
const definitions = schemaFile.definitions as unknown as Readonly<Record<string, Schema>>;

const follow = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : follow(definitions[schema.$ref.replace("#/definitions/", "")]!);

/** The forms that a value may have. */
const forms = (schema: Schema): readonly Schema[] => {
  const target = follow(schema);
  return [target, ...(target.oneOf ?? []).flatMap(forms)];
};

const structOf = (kind: Kind): Shape | undefined => {
  if (kind.is === "list" || kind.is === "map") return structOf(kind.of);
  return kind.is === "struct" || kind.is === "envFile" ? kind.shape : undefined;
};

/** The fields that the schema has and the shape has not, and the other way round, at any depth. */
function differences(shape: Shape, schema: Schema, path: string): readonly string[] {
  const bodies = forms(schema).flatMap((form) => [
    form,
    ...forms(form.items ?? {}),
    ...Object.values(form.patternProperties ?? {}).flatMap(forms),
  ]);
  const body = bodies.find(({ properties }) => properties !== undefined);
  assert.ok(body?.properties !== undefined, path);
  const { properties } = body;
  const known = new Set(shape.fields.map(({ key }) => key));
  return [
    ...Object.keys(properties)
      .filter((key) => !known.has(key))
      .map((key) => `${path}.${key} is not in the model`),
    ...shape.fields.flatMap(({ key, kind }) => {
      const own = properties[key];
      const inner = structOf(kind);
      if (own === undefined) return [`${path}.${key} is not in the schema`];
      return inner === undefined ? [] : differences(inner, own, `${path}.${key}`);
    }),
  ];
}

test("M42 the model has every field that the Specification's schema has, and the other way round", () => {
  const names = {
    services: "service",
    networks: "network",
    volumes: "volume",
    secrets: "secret",
    configs: "config",
    models: "model",
  } as const;
  const found = Object.entries(names).flatMap(([section, name]) => {
    const { shape } = sections[section as keyof typeof names];
    return differences(shape, definitions[name]!, name);
  });
  assert.deepEqual(
    found.toSorted(),
    [
      // It is gone once it has been followed
      "service.extends is not in the model",
      // Newer than the schema
      "service.build.no_cache_filter is not in the schema",
      "service.pre_start is not in the schema",
      // Hooks, limits and reservations, and secrets and configs, share a shape each
      ...["develop.watch.exec", "post_start", "pre_stop"].flatMap((hook) =>
        ["image", "per_replica"].map((key) => `service.${hook}.${key} is not in the schema`),
      ),
      ...["limits.devices", "limits.generic_resources", "reservations.pids"].map(
        (key) => `service.deploy.resources.${key} is not in the schema`,
      ),
      ...["secret.content", "config.driver", "config.driver_opts"].map((key) => `${key} is not in the schema`),
    ].toSorted(),
  );
});

test("M42 the table of docs/compose-file.md names every field of a service and of build", () => {
  const text = readFileSync(new URL("../../docs/compose-file.md", import.meta.url), "utf8");
  const named = new Set(text.match(/`[a-z_]+`/g));
  const build = sections.services.shape.fields.find(({ key }) => key === "build")?.kind;
  assert.ok(build?.is === "struct");
  const keys = [...sections.services.shape.fields, ...build.shape.fields].map(({ key }) => key);
  assert.deepEqual(
    keys.filter((key) => !named.has(`\`${key}\``)),
    [],
  );
});
