/** Compose projects, each for one rule of the Compose Specification: Varve and Docker Compose must make the same of them. */
export interface ComposeCase {
  /** The rows of the feature table, and what is tried. */
  readonly title: string;
  /** By path below the case's folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of `compose`, before `config`. */
  readonly flags?: readonly string[];
  /** Services that `config` is asked for. */
  readonly services?: readonly string[];
  /** The folder of the call, below the case's. */
  readonly cwd?: string;
  /** Both refuse it. */
  readonly fails?: true;
}

const one = (
  title: string,
  text: string,
  rest: Omit<ComposeCase, "title" | "files"> & { readonly files?: ComposeCase["files"] } = {},
): ComposeCase => ({
  title,
  ...rest,
  files: { "compose.yaml": text.replace(/^\n/, ""), ...rest.files },
});

/** A file with one service, whose fields are given. */
const service = (
  title: string,
  fields: string,
  rest: Omit<ComposeCase, "title" | "files"> & { readonly files?: ComposeCase["files"]; readonly top?: string } = {},
): ComposeCase => {
  const indented = fields
    .trim()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
  return one(title, `services:\n  web:\n    image: busybox\n${indented}\n${rest.top ?? ""}`, rest);
};

const refused = { fails: true } as const;

export const composeCases: readonly ComposeCase[] = [
  // build
  one("M01 a text is a context", "services: {web: {build: ./app}}"),
  one("M02 context, dockerfile", "services: {web: {build: {context: app, dockerfile: web.Dockerfile}}}"),
  one("M02 a build without a context", "services: {web: {build: {target: x}}}"),
  one("M02 an inline Dockerfile", 'services: {web: {build: {context: ., dockerfile_inline: "FROM busybox\\nRUN true\\n"}}}'),
  one(
    "M02 a URL stays",
    "services: {web: {build: {context: 'https://example.org/a.git#main'}}, b: {build: 'git@example.org:a/b.git'}}",
  ),
  one(
    "M02 both kinds of Dockerfile are one too many",
    "services: {web: {build: {context: ., dockerfile: a, dockerfile_inline: FROM b}}}",
    refused,
  ),
  one(
    "M03 args as a map, empty ones from the environment",
    "services: {web: {build: {context: ., args: {A: 1, B: true, C: , D: '', E: 1.50, GONE: }}}}",
    { env: { C: "here" } },
  ),
  one("M03 args as a list", "services: {web: {build: {context: ., args: [A=1, B, 'C=a=b', GONE]}}}", { env: { B: "x" } }),
  one(
    "M04 target, platforms, tags, labels",
    "services: {web: {build: {context: ., target: t, platforms: [linux/amd64, linux/arm64], tags: ['a:1', 'b:2'], labels: {a: 1, b: }}}}",
  ),
  one(
    "M04 the service's platform must be one of the build's",
    "services: {web: {platform: linux/s390x, build: {context: ., platforms: [linux/amd64]}}}",
    refused,
  ),
  one(
    "M05 caches",
    "services: {web: {build: {context: ., cache_from: ['type=local,src=x', alpine], cache_to: ['type=inline'], no_cache: true, pull: 'true'}}}",
  ),
  one(
    "M06 further contexts",
    "services: {web: {build: {context: ., additional_contexts: ['a=docker-image://alpine', b=../b, 'c=service:base']}}, base: {build: {context: base}}}",
  ),
  one(
    "M06 a further context of a service that is not built",
    "services: {web: {build: {context: ., additional_contexts: {a: 'service:db'}}}, db: {image: x}}",
    refused,
  ),
  one(
    "M07 secrets of a build",
    "services: {web: {build: {context: ., secrets: [one, {source: two, target: t, mode: 0400, uid: '1'}]}}}\nsecrets: {one: {file: ./one}, two: {environment: TWO}}",
  ),
  one("M07 a secret that is not there", "services: {web: {build: {context: ., secrets: [one]}}}", refused),
  one("M08 the default agent", "services: {web: {build: {context: ., ssh: [default]}}}"),
  one(
    "M09 settings of the steps",
    "services: {web: {build: {context: ., network: host, extra_hosts: ['a=1.2.3.4', 'b:::1'], shm_size: 1g, ulimits: {nproc: 5, nofile: {soft: 1, hard: 2}}, privileged: true, entitlements: [network.host]}}}",
  ),
  one(
    "M10 provenance and sbom",
    "services: {web: {build: {context: ., provenance: mode=max, sbom: false}}, b: {build: {context: ., provenance: false}}}",
  ),

  // loading
  one("M40 an override beside the file", "services: {web: {image: a}}", {
    files: { "compose.override.yaml": "services: {web: {tty: true}}" },
  }),
  one("M40 a file is searched upward", "name: up\nservices: {web: {image: a, volumes: ['./x:/x']}}", {
    files: { "a/b/keep": "" },
    cwd: "a/b",
  }),
  { title: "M40 the older name", files: { "docker-compose.yml": "services: {web: {image: a}}\n" } },
  { title: "M40 no file at all", files: { keep: "" }, ...refused },
  {
    title: "M40 M20 files by flag, the folder of the first",
    files: {
      "d/a.yaml": "services: {web: {image: a, build: .}}\n",
      "b.yaml": "services: {web: {tty: true, build: {args: [A=1]}}}\n",
    },
    flags: ["-f", "d/a.yaml", "-f", "b.yaml"],
  },
  {
    title: "M29 COMPOSE_FILE and its separator",
    files: { "a.yaml": "services: {web: {image: a}}\n", "b.yaml": "services: {web: {tty: true}}\n" },
    env: { COMPOSE_FILE: "a.yaml,b.yaml", COMPOSE_PATH_SEPARATOR: "," },
  },
  {
    title: "M29 COMPOSE_FILE out of .env",
    files: { ".env": "COMPOSE_FILE=a.yaml\nCOMPOSE_PROJECT_NAME=named\n", "a.yaml": "services: {web: {image: a}}\n" },
  },
  one("M20 another project folder", "services: {web: {build: x}}", {
    flags: ["--project-directory", "sub"],
    files: { "sub/keep": "" },
    cwd: ".",
  }),
  one("M20 M44 files of variables by flag", "services: {web: {image: 'a:${TAG}-${MORE}'}}", {
    flags: ["--env-file", "one.env", "--env-file", "two.env"],
    files: { "one.env": "TAG=1\n", "two.env": "MORE=${TAG}x\n", ".env": "TAG=no\n" },
  }),
  one("M29 COMPOSE_ENV_FILES", "services: {web: {image: 'a:${TAG}'}}", {
    env: { COMPOSE_ENV_FILES: "one.env" },
    files: { "one.env": "TAG=1\n" },
  }),
  one("M29 .env can be switched off", "services: {web: {image: 'a:${TAG:-none}'}}", {
    env: { COMPOSE_DISABLE_ENV_FILE: "true" },
    files: { ".env": "TAG=1\n" },
  }),
  one("M41 the name by flag", "name: other\nservices: {web: {image: a}}", { flags: ["-p", "mine"] }),
  one("M41 the name of the environment", "name: other\nservices: {web: {image: a}}", { env: { COMPOSE_PROJECT_NAME: "env_1" } }),
  one("M41 a name with a variable", "name: app-${STAGE:-Dev}!\nservices: {web: {image: 'a:${COMPOSE_PROJECT_NAME}'}}"),
  one("M41 a wrong name", "services: {web: {image: a}}", { flags: ["-p", "Big Name"], ...refused }),
  one(
    "M42 extensions stay, the version goes",
    "version: '3.8'\nx-top: {b: [1, {c: null}], a: 1.5}\nservices: {web: {image: a, x-own: yes, build: {context: ., x-b: 1}}}",
  ),
  one("M42 unknown at the top", "servces: {web: {image: a}}", refused),
  one("M42 unknown in a service", "services: {web: {image: a, comand: x}}", refused),
  one("M42 a service without anything to run", "services: {web: {tty: true}}", refused),
  one("M42 a list where a mapping stands", "services: [web]", refused),
  one("M42 an empty file", "# nothing", refused),
  one("M42 YAML that is none", "services: {web: [", refused),
  one("M42 a key twice", "services:\n  web: {image: a, image: b}", refused),
  one(
    "M42 anchors and merge keys",
    "x-base: &base {image: a, environment: &env {A: 1, B: 2}}\nservices:\n  web: {<<: *base, environment: {<<: *env, B: 3}}\n  two: {<<: [*base, {tty: true}], stdin_open: true}",
  ),
  one("M42 several documents are merged", "services: {web: {image: a, ports: ['80']}}\n---\nservices: {web: {ports: ['81']}}"),

  // merging
  one(
    "M43 lists that are told apart by a key",
    "services: {web: {image: a, environment: [A=1, B=2], ports: ['80:80', '81:81'], volumes: ['./a:/a', 'bb:/b'], expose: [1, 2], dns: 1.1.1.1, cap_add: [A]}}\nvolumes: {bb: , cc: }",
    {
      files: {
        "compose.override.yaml":
          "services: {web: {environment: {B: 3, C: 4}, ports: ['80:80', '82:82'], volumes: ['./other:/a', 'cc:/c'], expose: [2, 3], dns: [1.1.1.1, 8.8.8.8], cap_add: [A, B]}}",
      },
    },
  ),
  one(
    "M43 commands are replaced",
    "services: {web: {image: a, command: [a, b], entrypoint: x, healthcheck: {test: [CMD, a], interval: 1s}}}",
    {
      files: { "compose.override.yaml": "services: {web: {command: c d, entrypoint: [], healthcheck: {test: b}}}" },
    },
  ),
  one(
    "M43 logging of the same driver is merged",
    "services: {web: {image: a, logging: {driver: json-file, options: {a: '1', b: '2'}}}}",
    {
      files: { "compose.override.yaml": "services: {web: {logging: {driver: json-file, options: {b: '3'}}}}" },
    },
  ),
  one(
    "M43 logging of another driver is replaced",
    "services: {web: {image: a, logging: {driver: json-file, options: {a: '1'}}}}",
    {
      files: { "compose.override.yaml": "services: {web: {logging: {driver: none}}}" },
    },
  ),
  one("M43 !reset removes", "services: {web: {image: a, build: ., ports: ['80:80'], environment: {A: 1, B: 2}}}", {
    files: { "compose.override.yaml": "services: {web: {build: !reset null, ports: !reset [], environment: {A: !reset null}}}" },
  }),
  one("M43 !override replaces", "services: {web: {image: a, ports: ['80:80'], environment: {A: 1}}}", {
    files: { "compose.override.yaml": "services: {web: {ports: !override ['81:81'], environment: !override {B: 2}}}" },
  }),
  one(
    "M43 dependencies, networks and labels",
    "services: {web: {image: a, depends_on: [db], networks: [one], labels: [a=1]}, db: {image: d}, x: {image: x}}\nnetworks: {one: , two: }",
    {
      files: {
        "compose.override.yaml":
          "services: {web: {depends_on: {db: {condition: service_healthy}, x: {condition: service_started}}, networks: {two: {aliases: [w]}}, labels: {a: 2, b: 3}}}",
      },
    },
  ),
  one(
    "M43 resources of the project",
    "services: {web: {image: a, networks: [n], volumes: ['vol:/v']}}\nnetworks: {n: {driver: bridge, labels: {a: 1}, ipam: {config: [{subnet: 10.1.0.0/16}]}}}\nvolumes: {vol: {labels: [a=1]}}",
    {
      files: {
        "compose.override.yaml":
          "networks: {n: {labels: [b=2], ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1}]}}}\nvolumes: {vol: {name: other, labels: {b: 2}}}",
      },
    },
  ),
  one("M43 build in both forms", "services: {web: {build: ./a}}", {
    files: { "compose.override.yaml": "services: {web: {build: {args: {A: 1}, target: t}}}" },
  }),
  one("M43 a mapping cannot be overridden by a text", "services: {web: {image: a, deploy: {replicas: 2}}}", {
    files: { "compose.override.yaml": "services: {web: {deploy: x}}" },
    ...refused,
  }),

  // interpolation
  service(
    "M44 every form",
    "command: ['$A', '${A}', '${B:-d}', '${E:-d}', '${E-d}', '${A:+p}', '${B:+p}', '${E+p}', '${A:?no}', '$$A', '$${A}', 'a$', '$1', '${B:-${E:-${A}}}', '${B-{\"a\":1}}', 'x${A}y$A']",
    { env: { A: "1", E: "" } },
  ),
  service("M44 unset is empty", "command: ['$NOPE', 'a${NOPE}b']"),
  service("M44 a required one", "command: ['${NOPE:?it must be there}']", refused),
  service("M44 a wrong form", "command: ['${A B}']", refused),
  service("M44 a brace that is not closed", "command: ['${A']", refused),
  service(
    "M44 values become what the field holds",
    "tty: '${T}'\nscale: ${N}\nports: ['${P}:80']\nmem_limit: ${M}\ninit: \"${T}\"\nhealthcheck: {test: x, retries: '${N}', interval: '${D}'}",
    { env: { T: "true", N: "3", P: "8080", M: "64m", D: "90s" } },
  ),
  service("M44 a switch that is none", "tty: '${T}'", { env: { T: "maybe" }, ...refused }),
  service(
    "M44 a .env file",
    "environment: ['A=${A}', 'B=${B}', 'C=${C}', 'D=${D}', 'E=${E}', 'F=${F}', 'G=${G}', 'H=${H}', 'I=${I}']",
    {
      env: { H: "env" },
      files: {
        ".env":
          '# words\nA=plain # no\nexport B=b\nC="a\\tb ${A} \\$x"\nD=\'$A "q"\'\nE: colon\n\nF="two\nlines"\nG=${H}-${A}\nH=file\nI=a#b\n',
      },
    },
  ),
  service("M44 a .env file that cannot be read", "tty: true", { files: { ".env": "A B=1\n" }, ...refused }),

  // include, extends
  one("M45 include, paths of the included folder", "include: [sub/compose.yaml]\nservices: {web: {image: a, depends_on: [db]}}", {
    files: {
      "sub/compose.yaml":
        "services: {db: {image: 'd:${TAG}', build: ., volumes: ['./x:/x', 'vol:/v'], env_file: e.env}}\nvolumes: {vol: }\n",
      "sub/e.env": "E=1\n",
      "sub/.env": "TAG=sub\n",
    },
  }),
  one(
    "M45 include with all its settings",
    "include: [{path: [a.yaml, b.yaml], project_directory: other, env_file: [x.env]}]\nservices: {web: {image: a}}",
    {
      files: {
        "a.yaml": "services: {db: {image: 'd:${X}', build: ./c}}\n",
        "b.yaml": "services: {db: {tty: true}}\n",
        "x.env": "X=7\n",
        "other/keep": "",
      },
    },
  ),
  one("M45 what is there already cannot be included", "include: [sub.yaml]\nservices: {db: {tty: true}}", {
    files: { "sub.yaml": "services: {db: {image: d}}\n" },
    ...refused,
  }),
  one("M45 a circle", "include: [b.yaml]\nservices: {web: {image: a}}", {
    files: { "b.yaml": "include: [compose.yaml]\nservices: {b: {image: b}}\n" },
    ...refused,
  }),
  one("M45 a file that is not there", "include: [nope.yaml]\nservices: {web: {image: a}}", refused),
  one(
    "M46 extends in the same file",
    "services:\n  base: {image: a, environment: {A: 1, B: 2}, ports: ['80:80'], command: x, labels: [l=1]}\n  web: {extends: base, environment: [B=3], ports: ['81:81'], labels: {m: 2}}\n  two: {extends: {service: web}, command: [y]}",
  ),
  one(
    "M46 extends of another file, paths of its folder",
    "services: {web: {extends: {file: common/base.yaml, service: base}, build: {target: t}, volumes: ['./mine:/mine']}}",
    {
      files: {
        "common/base.yaml":
          "services:\n  root: {volumes: ['./data:/data'], env_file: base.env}\n  base: {extends: {service: root}, build: {context: ./ctx, args: [A=1]}}\n",
        "common/base.env": "FROM_BASE=1\n",
      },
    },
  ),
  one("M46 a circle", "services: {a: {image: x, extends: b}, b: {image: x, extends: a}}", refused),
  one("M46 a service that is not there", "services: {a: {image: x, extends: {service: nope}}}", refused),
  one("M46 a file that is not there", "services: {a: {image: x, extends: {service: b, file: nope.yaml}}}", refused),
  one(
    "M46 !reset against the base",
    "services:\n  base: {image: a, ports: ['80:80'], tty: true}\n  web: {extends: base, ports: !reset [], tty: !reset false}",
  ),

  // profiles, normalising
  one("M47 only services without a profile", "services: {web: {image: a}, debug: {image: b, profiles: [debug]}}"),
  one(
    "M47 M20 a profile by flag",
    "services: {web: {image: a}, debug: {image: b, profiles: [debug, x]}, no: {image: c, profiles: [no]}}",
    { flags: ["--profile", "debug"] },
  ),
  one(
    "M47 M29 profiles of the environment",
    "services: {web: {image: a}, one: {image: b, profiles: [one]}, two: {image: c, profiles: [two]}}",
    { env: { COMPOSE_PROFILES: "one,two" } },
  ),
  one("M47 all profiles", "services: {web: {image: a}, debug: {image: b, profiles: [debug]}}", { flags: ["--profile", "*"] }),
  one(
    "M47 a service that is named switches its profile on",
    "services: {web: {image: a}, debug: {image: b, profiles: [debug]}}",
    { services: ["debug"] },
  ),
  one(
    "M47 depending on a service that is off",
    "services: {web: {image: a, depends_on: [debug]}, debug: {image: b, profiles: [debug]}}",
    refused,
  ),
  one(
    "M47 depending on it at will",
    "services: {web: {image: a, depends_on: {debug: {condition: service_started, required: false}}}, debug: {image: b, profiles: [debug]}}",
  ),
  one(
    "M48 resources nobody uses go, the default network comes",
    "services: {web: {image: a}, b: {image: b, networks: [n]}}\nnetworks: {n: , unused: }\nvolumes: {unused: }\nsecrets: {unused: {file: x}}",
  ),
  one(
    "M48 no default network",
    "services: {b: {image: b, networks: [n]}, c: {image: c, network_mode: host}}\nnetworks: {n: {name: 'its-${X:-own}'}}",
  ),
  one(
    "M48 the default network has settings",
    "services: {web: {image: a}}\nnetworks: {default: {driver: bridge, driver_opts: {a: 1}}}",
  ),
  one(
    "M48 external resources keep their names",
    "services: {web: {image: a, networks: [n], volumes: ['vol:/v']}}\nnetworks: {n: {external: true}}\nvolumes: {vol: {external: true, name: real}}",
  ),
  one(
    "M48 dependencies that follow",
    "services: {web: {image: a, links: ['db:d', cache], network_mode: 'service:net', volumes_from: ['data:ro', 'container:x'], ipc: 'service:ipc'}, db: {image: a}, cache: {image: a}, net: {image: a}, data: {image: a}, ipc: {image: a, ipc: shareable}}",
  ),
  one("M48 a network that is not there", "services: {web: {image: a, networks: [nope]}}", refused),
  one("M48 a volume that is not there", "services: {web: {image: a, volumes: ['nope:/x']}}", refused),
  one("M48 services that need each other", "services: {a: {image: a, depends_on: [b]}, b: {image: b, depends_on: [a]}}", refused),
  one("M48 a service that is not there", "services: {a: {image: a, depends_on: [b]}}", refused),
  one("M48 a selection has what it depends on", "services: {a: {image: a, depends_on: [b]}, b: {image: b}, c: {image: c}}", {
    services: ["a"],
  }),
  one("M48 a selection of nothing", "services: {a: {image: a}}", { services: ["nope"], ...refused }),
  service(
    "M49 files of variables",
    "env_file: [a.env, {path: b.env, required: false}, {path: c.env, required: false}]\nenvironment: [B=own, HERE, GONE]",
    {
      env: { HERE: "1" },
      files: { "a.env": "A=1\nB=2\nC=${A}${HERE}\n", "b.env": "A=3\nD='$A'\n" },
    },
  ),
  service("M49 a missing file", "env_file: nope.env", refused),
  service("M49 a raw file", "env_file: [{path: a.env, format: raw}]", { files: { "a.env": "A='x' # $B\nB=\"\n" } }),
  service("M49 M63 files of labels", "label_file: [a.labels]\nlabels: {b: own}", { files: { "a.labels": "a=1\nb=2\n" } }),

  // fields
  service("M60 names and images", "container_name: cc\nhostname: h\nplatform: linux/amd64\npull_policy: if_not_present"),
  service("M60 a policy that is none", "pull_policy: sometimes", refused),
  service("M61 commands as texts", "command: sh -c 'echo \"a b\" $$X' \\\"q\\\" ''\nentrypoint: /bin/x  y"),
  service("M61 commands that are cleared", "command: []\nentrypoint: ''"),
  service("M61 quotes that are not closed", "command: echo 'a", refused),
  service(
    "M61 how it runs",
    "working_dir: /a/../b\nuser: 1000:1000\ninit: false\ntty: true\nstdin_open: false\nstop_signal: SIGUSR1\nstop_grace_period: 1m30s",
  ),
  service("M61 a number for a user", "user: 1000", refused),
  service(
    "M62 short ports",
    "ports: ['80', '8080:80', '127.0.0.1:81:81', '9000-9002:9000-9002', '5000-5010:50/udp', '127.0.0.1::82', '[::1]:83:83', 84, '6-8/tcp']\nexpose: [1, '2/udp', 3-4]",
  ),
  service(
    "M62 long ports",
    "ports: [{target: 80}, {target: 81, published: 8081, host_ip: 127.0.0.1, protocol: udp, mode: host, name: n, app_protocol: http}, {target: 82, published: '8000-8010'}]",
  ),
  service("M62 a port that is none", "ports: ['80:x']", refused),
  service("M62 a port beyond the last", "ports: ['70000']", refused),
  service("M62 ranges of different lengths", "ports: ['80-82:90-91']", refused),
  service(
    "M63 environment as a map",
    "environment: {A: 1, B: true, C: 1.50, D: , E: '', F: 'a\n\n  b', G: 0x10, H: 1e3, I: ' x ', J: 'y', K: 'no', L: '1:30', M: 'a: b', N: '#c', O: '-', P: \"t\\tb\", Q: '2020-01-01'}\nlabels: [a, b=, c=d=e]\nannotations: {x: 1}",
  ),
  service("M63 a name with a space behind it", "environment: ['A =1']", refused),
  service(
    "M64 conditions",
    "depends_on: {a: {condition: service_healthy, restart: true}, b: {condition: service_completed_successfully, required: false}}",
    { top: "  a: {image: a}\n  b: {image: b}\n" },
  ),
  service("M64 a condition that is none", "depends_on: {a: {condition: healthy}}", { top: "  a: {image: a}\n", ...refused }),
  service(
    "M65 a test as a text",
    "healthcheck: {test: curl -f localhost, interval: 1.5s, timeout: 1m, retries: 0, start_period: 2h3m, start_interval: 100ms}",
  ),
  service("M65 tests as lists", "healthcheck: {test: [CMD, a, b], disable: false}", {
    top: "  a: {image: a, healthcheck: {disable: true}}\n  b: {image: b, healthcheck: {test: [NONE]}}\n",
  }),
  service("M65 a test of no kind", "healthcheck: {test: [curl, x]}", refused),
  service("M65 a duration that is none", "healthcheck: {test: x, interval: soon}", refused),
  service(
    "M66 short mounts",
    "volumes: ['/anon', 'vol:/v', 'vol:/w:ro', './rel:/r:rw,z', '../up:/u:ro,rshared', '~/h:/h', '/abs:/a/../c/', 'vol:/n:nocopy']\ntmpfs: /run",
    { top: "volumes: {vol: }\n" },
  ),
  service(
    "M66 long mounts",
    "volumes:\n  - {type: bind, source: ./b, target: /b, read_only: true, bind: {propagation: rslave, create_host_path: true, selinux: Z}}\n  - {type: volume, source: vol, target: /v, volume: {nocopy: true, subpath: s, labels: {a: 1}}}\n  - {type: tmpfs, target: /t, tmpfs: {size: 64m, mode: 0o700}}\n  - {type: image, source: busybox, target: /i, image: {subpath: bin}}\n  - {type: volume, target: /anon}\ntmpfs: [/run, '/x:mode=755']",
    { top: "volumes: {vol: }\n" },
  ),
  service("M66 one target twice", "volumes: ['/a:/x', 'vol:/y']\ntmpfs: [/x]", { top: "volumes: {vol: }\n", ...refused }),
  service("M66 too many colons", "volumes: ['aa:/b:ro:x']", refused),
  service(
    "M67 networks with settings",
    "networks: {a: , b: {aliases: [x, y], ipv4_address: 10.0.0.2, ipv6_address: 'fe80::1', link_local_ips: [169.254.1.1], mac_address: '02:42:ac:11:00:02', driver_opts: {o: '1'}, priority: 10, gw_priority: 1, interface_name: eth9}}",
    { top: "networks: {a: , b: }\n" },
  ),
  service("M67 network_mode and networks exclude each other", "network_mode: host\nnetworks: [a]", {
    top: "networks: {a: }\n",
    ...refused,
  }),
  one(
    "M68 networks",
    "services: {web: {image: a, networks: [n]}}\nnetworks: {n: {driver: bridge, driver_opts: {a: 1, b: x}, ipam: {driver: default, config: [{subnet: 10.2.0.0/16, ip_range: 10.2.1.0/24, gateway: 10.2.0.1, aux_addresses: {h: 10.2.0.9}}]}, internal: true, attachable: true, enable_ipv4: false, enable_ipv6: true, labels: {l: 1}}}",
  ),
  one(
    "M69 volumes",
    "services: {web: {image: a, volumes: ['vol:/v', 'www:/w']}}\nvolumes: {vol: {driver: local, driver_opts: {type: none, o: bind, device: ./dev}, labels: [a]}, www: {name: w, x-a: 1}}",
  ),
  one(
    "M69 an external volume has no driver",
    "services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {external: true, driver: local}}",
    refused,
  ),
  one(
    "M70 secrets and configs",
    "services: {web: {image: a, secrets: [s, {source: e, target: /x, uid: '1', gid: '2', mode: 0440}], configs: [c, {source: i, target: /etc/i}, f]}}\nsecrets: {s: {file: ./s}, e: {environment: E}}\nconfigs: {c: {environment: E}, i: {content: \"a\\nb ${E}\\n\"}, f: {file: f.conf}}",
    { env: { E: "v" } },
  ),
  one("M70 a secret from nowhere", "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {labels: {a: b}}}", refused),
  one("M70 a config from two places", "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {file: a, content: b}}", refused),
  service(
    "M71 restart and deploy",
    "restart: unless-stopped\ndeploy: {mode: replicated, replicas: 0, endpoint_mode: vip, labels: [a=1], resources: {limits: {cpus: '0.25', memory: 100M, pids: 5}, reservations: {cpus: 0.1, memory: 20m, generic_resources: [{discrete_resource_spec: {kind: SSD, value: 2}}]}}, restart_policy: {condition: on-failure, delay: 5s, max_attempts: 0, window: 2m}, placement: {constraints: [a==b], preferences: [{spread: x}], max_replicas_per_node: 2}, update_config: {parallelism: 0, delay: 10s, failure_action: pause, monitor: 1m, max_failure_ratio: 0.3, order: start-first}}",
  ),
  service("M71 scale and replicas must agree", "scale: 2\ndeploy: {replicas: 3}", refused),
  service("M71 one name for two containers", "container_name: c\nscale: 2", refused),
  service("M71 limits must agree", "mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}", refused),
  service(
    "M72 security and limits",
    "cap_add: [NET_ADMIN]\ncap_drop: [ALL]\nprivileged: 'true'\nread_only: true\nsecurity_opt: [no-new-privileges]\nsysctls: {net.core.somaxconn: 1024, b: x}\nulimits: {nproc: 65535, nofile: {soft: 20000, hard: 40000}}\nshm_size: 64m\nmem_limit: 1.5gb\nmem_reservation: 10m\nmemswap_limit: -1\nmem_swappiness: 60\ncpus: '0.5'\ncpu_shares: 512\ncpu_period: 100000\ncpu_quota: '50000'\ncpuset: 0,1\npids_limit: -1\ndevices: ['/dev/null:/dev/x', '/dev/zero:/dev/y:r', /dev/full]\nuserns_mode: host\nipc: host\npid: host\nuts: host\ncgroup: private\ncgroup_parent: p\ngroup_add: [1, mail]\noom_score_adj: -5\noom_kill_disable: true",
  ),
  service("M72 a size that is none", "mem_limit: lots", refused),
  service(
    "M72 devices of the kind that is asked for",
    "gpus: [{driver: x, count: 2}, {capabilities: [gpu], device_ids: ['0'], options: {a: b}}]",
  ),
  service(
    "M72 input and output limits",
    "blkio_config: {weight: 300, weight_device: [{path: /dev/sda, weight: 400}], device_read_bps: [{path: /dev/sdb, rate: 12mb}], device_write_iops: [{path: /dev/sdb, rate: 30}]}",
  ),
  service(
    "M73 logging, names and addresses",
    "logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}\ndns: [8.8.8.8]\ndns_search: example.org\ndns_opt: [ndots:1]\nextra_hosts: ['b:1.2.3.4', 'a=[::1]', 'b=5.6.7.8']\nlinks: [db]\nexternal_links: ['x:y']\ndomainname: d\nmac_address: '02:42:ac:11:65:43'",
    { top: "  db: {image: a}\n" },
  ),
  service("M73 hosts as a map", "extra_hosts: {h: 1.1.1.1, i: '::1', j: host-gateway, k: [1.1.1.1, 2.2.2.2]}"),
  service("M73 a host without an address", "extra_hosts: [alone]", refused),
  service(
    "M74 hooks",
    "post_start: [{command: [a, b], user: root, privileged: true, working_dir: /w, environment: [A=1, B]}, {command: c d}]\npre_stop: [{command: x, environment: {C: 2}}]",
  ),
  service("M75 what is newer", "attach: false\nstorage_opt: {size: 1G}\nuse_api_socket: true\ncredential_spec: {file: x.json}"),
  one(
    "M75 models and providers",
    "services: {web: {image: a, models: {m: {endpoint_var: E, model_var: M}}}, p: {provider: {type: t, options: {a: 1, b: [x, y]}}}}\nmodels: {m: {model: ai/x, context_size: 1024, runtime_flags: [a]}}",
  ),
  service(
    "M76 watching",
    "develop: {watch: [{path: ., action: rebuild}, {path: ./src, action: sync, target: /src, ignore: [a/, b], include: '*.go', initial_sync: true}, {path: c, action: sync+exec, target: /c, exec: {command: echo x, user: u}}]}",
  ),
  service("M76 a target is needed", "develop: {watch: [{path: ., action: sync}]}", refused),
  service("M76 an action that is none", "develop: {watch: [{path: ., action: reload}]}", refused),

  // printing
  service(
    "M27 texts that need quotes",
    "command: ['1', 'true', 'null', '~', '', ' a', 'a ', 'a: b', 'a #b', '- a', '@a', '`a`', \"it's\", '\"q\"', '0x1f', '1e3', '.5', '1_000', 'yes', 'Off', 'y', '<<', '=', '!x', '&x', '*x', '{a}', '[a]', '%a', 'a:b', 'a,b', '?', '? a', ':', 'é ü', \"a\\nb\", \"a\\nb\\n\", \"\\n a\\n\\n\", \"tab\\there\", 'C:\\x', '---', '-a', '012', '0o17', '1:30', '12:34:56', '+1', 'a\u00a0b', '2024-01-02', '.inf', '.nan', 'NO', 'a\\nb']",
  ),
  one(
    "M27 keys in their order",
    "x-k: {a10: 1, a9: 2, a-1: 3, a_1: 4, B: 5, b: 6, '10': 7, '9': 8, a.b: 9, ab: 10, a: 11, 'A1': 12, '': 13, a1b: 14, a01: 15, 'yes': 16, 'a b': 17, 'é': 18}\nservices: {web10: {image: a}, web9: {image: a}, web_1: {image: b}, Web: {image: c}, web-1: {image: d}}",
  ),
];
