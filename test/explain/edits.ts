/**
 * Planted edits: two states of a build each, and what Varve must say of every step that the second one runs. `@` stands for a
 * word of the edit's own, so that no edit meets the cache of another.
 */
import type { BuildOptions } from "../../src/engine/index.ts";

/** A state of a build. */
export interface State {
  readonly dockerfile?: string;
  /** Contents by path; null removes one. A number is a mode for a file that is there. */
  readonly files?: Readonly<Record<string, string | number | null>>;
  readonly options?: Partial<BuildOptions>;
  /** Done before the build, beside it. */
  readonly prepare?: (world: World) => Promise<void> | void;
  /** The build fails. */
  readonly fails?: true;
}

/** What an edit can reach of the world. */
export interface World {
  readonly word: string;
  readonly folder: string;
  /** Builds an image that the store has from then on. */
  image(name: string, dockerfile: string): Promise<void>;
  /** Puts a body behind a URL that `@url` stands for. */
  serve(body: string): void;
  /** Commits a file to the repository that `@git` stands for. */
  commit(file: string, content: string): void;
  /** Empties the cache. */
  prune(): Promise<void>;
}

export interface Edit {
  readonly name: string;
  readonly before: State;
  readonly after: State;
  /** For each step that runs: its instruction and its reason's line. */
  readonly says: readonly (readonly [step: string, line: string])[];
}

const edit = (name: string, before: State, after: State, says: Edit["says"]): Edit => ({ name, before, after, says });

/** An edit of the Dockerfile alone. */
const rewrite = (name: string, before: string, after: string, says: Edit["says"]): Edit =>
  edit(name, { dockerfile: before, files: { a: "a @", b: "b @" } }, { dockerfile: after }, says);

/** An edit of the context alone. */
const touch = (name: string, files: NonNullable<State["files"]>, line: string): Edit =>
  edit(
    name,
    { dockerfile: "FROM scratch\nCOPY dir /@/", files: { "dir/a": "a @", "dir/b": "b @", "dir/sub/c": "c @" } },
    { files },
    line === "" ? [] : [["COPY dir /@/", line]],
  );

const instructions: readonly Edit[] = [
  rewrite("only a comment", "FROM busybox\nRUN echo @", "FROM busybox\n# new\nRUN echo @", []),
  rewrite("a comment within RUN", "FROM busybox\nRUN echo @ && \\\n true", "FROM busybox\nRUN echo @ && \\\n# why\n true", []),
  rewrite("the text of RUN", "FROM busybox\nRUN echo @ one\nRUN echo after", "FROM busybox\nRUN echo @ two\nRUN echo after", [
    ["RUN echo @ two", 'instruction changed: "RUN echo @ one" → "RUN echo @ two"'],
    ["RUN echo after", 'after [2/3] RUN echo @ two, since instruction changed: "RUN echo @ one" → "RUN echo @ two"'],
  ]),
  rewrite("a line inserted before", "FROM busybox\nRUN echo @", "FROM busybox\nRUN echo new @\nRUN echo @", [
    ["RUN echo new @", "new instruction"],
    ["RUN echo @", "after [2/3] RUN echo new @, since new instruction"],
  ]),
  rewrite("a line removed", "FROM busybox\nRUN echo 1 @\nRUN echo 2\nRUN echo 3", "FROM busybox\nRUN echo 1 @\nRUN echo 3", [
    ["RUN echo 3", 'instruction removed before it: "RUN echo 2"'],
  ]),
  rewrite(
    "the body of a heredoc of RUN",
    "FROM busybox\nRUN <<EOF\necho one @\nEOF",
    "FROM busybox\nRUN <<EOF\necho two @\nEOF",
    [["RUN <<EOF (echo two @)", 'instruction changed: "echo one @" → "echo two @"']],
  ),
  rewrite(
    "the body of a script of RUN",
    "FROM busybox\nRUN <<EOF\n#!/bin/sh\necho one @\nEOF",
    "FROM busybox\nRUN <<EOF\n#!/bin/sh\necho two @\nEOF",
    [
      ["[internal] preparing inline document", 'instruction changed: "#!/bin/sh echo one @" → "#!/bin/sh echo two @"'],
      ["RUN <<EOF (#!/bin/sh...)", 'instruction changed: "#!/bin/sh echo one @" → "#!/bin/sh echo two @"'],
    ],
  ),
  rewrite("the body of a heredoc of COPY", "FROM scratch\nCOPY <<EOF /@\none\nEOF", "FROM scratch\nCOPY <<EOF /@\ntwo\nEOF", [
    ["[internal] preparing inline document", 'instruction changed: "one" → "two"'],
    ["COPY <<EOF /@", 'instruction changed: "one" → "two"'],
  ]),
  rewrite(
    "two lines that change places",
    "FROM busybox\nRUN echo 1 @\nRUN echo 2 @",
    "FROM busybox\nRUN echo 2 @\nRUN echo 1 @",
    [
      ["RUN echo 2 @", "instruction moved"],
      ["RUN echo 1 @", "after [2/3] RUN echo 2 @, since instruction moved"],
    ],
  ),
  rewrite("only a label", "FROM busybox\nRUN echo @\nLABEL a=1", "FROM busybox\nRUN echo @\nLABEL a=2", []),
  rewrite("only CMD", "FROM busybox\nRUN echo @\nCMD a", "FROM busybox\nRUN echo @\nCMD b", []),
  rewrite("WORKDIR", "FROM busybox\nWORKDIR /@/a\nRUN pwd", "FROM busybox\nWORKDIR /@/b\nRUN pwd", [
    ["WORKDIR /@/b", 'instruction changed: "WORKDIR /@/a" → "WORKDIR /@/b"'],
    ["RUN pwd", 'after [2/3] WORKDIR /@/b, since instruction changed: "WORKDIR /@/a" → "WORKDIR /@/b"'],
  ]),
  rewrite("USER", "FROM busybox\nUSER 1\nRUN echo @", "FROM busybox\nUSER 2\nRUN echo @", [
    ["RUN echo @", 'user changed: "1" → "2"'],
  ]),
  rewrite("SHELL", 'FROM busybox\nSHELL ["/bin/sh", "-c"]\nRUN echo @', 'FROM busybox\nSHELL ["/bin/sh", "-ec"]\nRUN echo @', [
    ["RUN echo @", 'shell changed: "/bin/sh -c" → "/bin/sh -ec"'],
  ]),
  rewrite("the owner of COPY --chown", "FROM scratch\nCOPY --chown=1 a /@", "FROM scratch\nCOPY --chown=2 a /@", [
    ["COPY --chown=2 a /@", 'instruction changed: "COPY --chown=1 a /@" → "COPY --chown=2 a /@"'],
  ]),
  edit(
    "another image in FROM",
    {
      dockerfile: "FROM busybox\nRUN echo @",
      prepare: async (world) => await world.image("other-@", "FROM busybox\nRUN echo other @ > /x"),
    },
    { dockerfile: "FROM other-@\nRUN echo @" },
    [
      [
        "FROM docker.io/library/other-@:latest@<digest>",
        'instruction changed: "FROM docker.io/library/busybox:latest" → "FROM docker.io/library/other-@:latest"',
      ],
      [
        "RUN echo @",
        'after [1/2] FROM docker.io/library/other-@:latest, since instruction changed: "FROM docker.io/library/busybox:latest" → "FROM docker.io/library/other-@:latest"',
      ],
    ],
  ),
];

const stages: readonly Edit[] = [
  rewrite(
    "a stage inserted",
    "FROM busybox AS one\nRUN echo @ > /x\nFROM scratch\nCOPY --from=one /x /",
    "FROM busybox AS zero\nRUN echo zero @ > /y\nFROM busybox AS one\nRUN echo @ > /x\nFROM scratch\nCOPY --from=one /x /\nCOPY --from=zero /y /",
    [
      ["RUN echo zero @ > /y", "first time seen"],
      ["COPY --from=zero /y /", "new instruction"],
    ],
  ),
  rewrite("a stage renamed", "FROM busybox AS one\nRUN echo @\nRUN echo 1", "FROM busybox AS two\nRUN echo @\nRUN echo 2", [
    ["RUN echo 2", 'instruction changed: "RUN echo 1" → "RUN echo 2"'],
  ]),
  rewrite(
    "another stage in FROM",
    "FROM busybox AS one\nRUN echo 1 @\nFROM busybox AS two\nRUN echo 2 @\nFROM one\nRUN echo 3",
    "FROM busybox AS one\nRUN echo 1 @\nFROM busybox AS two\nRUN echo 2 @\nFROM two\nRUN echo 3",
    [
      ["RUN echo 2 @", "first time seen"],
      ["RUN echo 3", "after [two 2/2] RUN echo 2 @, since first time seen"],
    ],
  ),
  rewrite(
    "what COPY --from reads",
    "FROM busybox AS one\nRUN echo 1 @ > /x\nFROM scratch\nCOPY --from=one /x /",
    "FROM busybox AS one\nRUN echo 2 @ > /x\nFROM scratch\nCOPY --from=one /x /",
    [
      ["RUN echo 2 @ > /x", 'instruction changed: "RUN echo 1 @ > /x" → "RUN echo 2 @ > /x"'],
      [
        "COPY --from=one /x /",
        '1 file of one changed: x (content), since [one 2/2] RUN echo 2 @ > /x: instruction changed: "RUN echo 1 @ > /x" → "RUN echo 2 @ > /x"',
      ],
    ],
  ),
  rewrite(
    "a stage made anew with the same files",
    "FROM busybox AS one\nRUN echo @ > /x # 1\nFROM scratch\nCOPY --from=one /x /",
    "FROM busybox AS one\nRUN echo @ > /x # 2\nFROM scratch\nCOPY --from=one /x /",
    [["RUN echo @ > /x # 2", 'instruction changed: "RUN echo @ > /x # 1" → "RUN echo @ > /x # 2"']],
  ),
  rewrite(
    "only the owner of a file of a stage",
    "FROM busybox AS one\nRUN echo @ > /x; chown 1:1 /x\nFROM scratch\nCOPY --from=one /x /",
    "FROM busybox AS one\nRUN echo @ > /x; chown 2:3 /x\nFROM scratch\nCOPY --from=one /x /",
    [
      ["RUN echo @ > /x; chown 2:3 /x", 'instruction changed: "RUN echo @ > /x; chown 1:1 /x" → "RUN echo @ > /x; chown 2:3 /x"'],
      [
        "COPY --from=one /x /",
        '1 file of one changed: x (owner 1:1 → 2:3), since [one 2/2] RUN echo @ > /x; chown 2:3 /x: instruction changed: "RUN echo @ > /x; chown 1:1 /x" → "RUN echo @ > /x; chown 2:3 /x"',
      ],
    ],
  ),
  edit(
    "another target",
    { dockerfile: "FROM busybox AS one\nRUN echo 1 @\nFROM busybox AS two\nRUN echo 2 @", options: { target: "one" } },
    { options: { target: "two" } },
    [["RUN echo 2 @", "first time seen"]],
  ),
  edit(
    "back to a target, with an edit meanwhile",
    { dockerfile: "FROM busybox AS one\nRUN echo 1 @\nFROM busybox AS two\nRUN echo 2 @", options: { target: "two" } },
    { dockerfile: "FROM busybox AS one\nRUN echo 1 @\nFROM busybox AS two\nRUN echo 3 @", options: { target: "two" } },
    [["RUN echo 3 @", 'instruction changed: "RUN echo 2 @" → "RUN echo 3 @"']],
  ),
];

const args: readonly Edit[] = [
  edit(
    "an argument that RUN uses",
    { dockerfile: "FROM busybox\nARG V\nRUN echo @ $V", options: { buildArgs: { V: "1" } } },
    { options: { buildArgs: { V: "2" } } },
    [["RUN echo @ 2", 'argument V changed: "1" → "2"']],
  ),
  edit(
    "an argument used only through ENV",
    { dockerfile: "FROM busybox\nARG V\nENV W=w$V\nRUN echo @", options: { buildArgs: { V: "1" } } },
    { options: { buildArgs: { V: "2" } } },
    [["RUN echo @", 'argument V changed: "1" → "2"; environment W changed: "w1" → "w2"']],
  ),
  edit(
    "an argument that nothing uses, in scope of RUN",
    { dockerfile: "FROM busybox\nARG V\nRUN echo @", options: { buildArgs: { V: "1" } } },
    { options: { buildArgs: { V: "2" } } },
    [["RUN echo @", 'argument V changed: "1" → "2"']],
  ),
  edit(
    "an argument declared after all steps",
    { dockerfile: "FROM busybox\nRUN echo @\nARG V", options: { buildArgs: { V: "1" } } },
    { options: { buildArgs: { V: "2" } } },
    [],
  ),
  edit(
    "an argument in the source of COPY",
    { dockerfile: "FROM scratch\nARG F\nCOPY $F /@", files: { a: "a @", b: "b @" }, options: { buildArgs: { F: "a" } } },
    { options: { buildArgs: { F: "b" } } },
    [["COPY b /@", 'argument F changed: "a" → "b"']],
  ),
  rewrite("the default of an argument", "FROM busybox\nARG V=1\nRUN echo @", "FROM busybox\nARG V=2\nRUN echo @", [
    ["RUN echo @", 'argument V changed: "1" → "2"'],
  ]),
  rewrite("ENV", "FROM busybox\nENV E=1\nRUN echo @\nRUN echo 2", "FROM busybox\nENV E=2\nRUN echo @\nRUN echo 2", [
    ["RUN echo @", 'environment E changed: "1" → "2"'],
    ["RUN echo 2", 'after [2/3] RUN echo @, since environment E changed: "1" → "2"'],
  ]),
  rewrite("ENV added", "FROM busybox\nRUN echo @", "FROM busybox\nENV E=1\nRUN echo @", [
    ["RUN echo @", 'environment E added: "1"'],
  ]),
];

const files: readonly Edit[] = [
  touch("the content of a file", { "dir/a": "aa @" }, "1 file of context changed: dir/a (content)"),
  touch("a file added", { "dir/new": "new @" }, "1 file of context changed: dir/new (added)"),
  touch("a file removed", { "dir/b": null }, "1 file of context changed: dir/b (removed)"),
  touch("a file renamed", { "dir/b": null, "dir/z": "b @" }, "2 files of context changed: dir/b (removed), dir/z (added)"),
  touch(
    "only the mode of a file",
    { "dir/a": 0o755 },
    "only mode bits changed (umask, checkout) of 1 file of context: dir/a (mode 0644 → 0755)",
  ),
  touch(
    "mode and content",
    { "dir/a": 0o755, "dir/b": "bb @" },
    "2 files of context changed: dir/a (mode 0644 → 0755), dir/b (content)",
  ),
  edit(
    "a pattern of COPY --exclude",
    { dockerfile: "FROM scratch\nCOPY --exclude=a dir /@/", files: { "dir/a": "a @", "dir/b": "b @" } },
    { dockerfile: "FROM scratch\nCOPY --exclude=b dir /@/" },
    [["COPY --exclude=b dir /@/", 'instruction changed: "COPY --exclude=a dir /@/" → "COPY --exclude=b dir /@/"']],
  ),
  touch("a file that no step reads", { other: "other @" }, ""),
  edit(
    "many files",
    {
      dockerfile: "FROM scratch\nCOPY many /@/",
      files: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`many/${10 + i}`, `${i} @`])),
    },
    { files: Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`many/${10 + i}`, `${i}! @`])) },
    [["COPY many /@/", "25 files of context changed: many/10 (content), many/11 (content), many/12 (content) and 22 more"]],
  ),
  edit(
    ".dockerignore shows a file",
    { dockerfile: "FROM scratch\nCOPY dir /@/", files: { "dir/a": "a @", "dir/b": "b @", ".dockerignore": "dir/b" } },
    { files: { ".dockerignore": "nothing" } },
    [["COPY dir /@/", "1 file of context changed: dir/b (added)"]],
  ),
  edit(
    "a file that a mount shows",
    { dockerfile: "FROM busybox\nRUN --mount=target=/src cat /src/a # @", files: { a: "a @" } },
    { files: { a: "aa @" } },
    [["RUN --mount=target=/src cat /src/a # @", "1 file of context changed: a (content)"]],
  ),
  edit(
    "a file and a line",
    { dockerfile: "FROM busybox\nRUN echo 1 @\nCOPY a /\nRUN echo end", files: { a: "a @" } },
    { dockerfile: "FROM busybox\nRUN echo 2 @\nCOPY a /\nRUN echo end", files: { a: "aa @" } },
    [
      ["RUN echo 2 @", 'instruction changed: "RUN echo 1 @" → "RUN echo 2 @"'],
      ["COPY a /", "1 file of context changed: a (content)"],
      ["RUN echo end", "after [3/4] COPY a /, since 1 file of context changed: a (content)"],
    ],
  ),
];

const flags: readonly Edit[] = [
  rewrite(
    "an option of a mount",
    "FROM busybox\nRUN --mount=type=tmpfs,target=/t,size=1048576 echo @",
    "FROM busybox\nRUN --mount=type=tmpfs,target=/t,size=2097152 echo @",
    [
      [
        "RUN --mount=type=tmpfs,target=/t,size=2097152 echo @",
        'mount /t changed: "type=tmpfs,size=1048576" → "type=tmpfs,size=2097152"',
      ],
    ],
  ),
  rewrite(
    "the id of a secret",
    "FROM busybox\nRUN --mount=type=secret,id=one,target=/s echo @",
    "FROM busybox\nRUN --mount=type=secret,id=two,target=/s echo @",
    [
      [
        "RUN --mount=type=secret,id=two,target=/s echo @",
        'secret /s changed: "type=secret,id=one,uid=0,gid=0,mode=0400" → "type=secret,id=two,uid=0,gid=0,mode=0400"',
      ],
    ],
  ),
  edit(
    "the value of a secret",
    { dockerfile: "FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s # @", options: { secrets: { s: "one" } } },
    { options: { secrets: { s: "two" } } },
    [],
  ),
  rewrite("the network of a step", "FROM busybox\nRUN echo @", "FROM busybox\nRUN --network=none echo @", [
    ["RUN --network=none echo @", 'network changed: "default" → "none"'],
  ]),
  edit("the network of the build", { dockerfile: "FROM busybox\nRUN echo @" }, { options: { network: "none" } }, [
    ["RUN echo @", 'network changed: "default" → "none"'],
  ]),
  edit(
    "the security of a step",
    { dockerfile: "FROM busybox\nRUN echo @" },
    { dockerfile: "FROM busybox\nRUN --security=insecure echo @", options: { allow: ["security.insecure"] } },
    [["RUN --security=insecure echo @", 'security changed: "sandbox" → "insecure"']],
  ),
  rewrite(
    "a mount that may be written to",
    "FROM busybox\nRUN --mount=target=/src echo @",
    "FROM busybox\nRUN --mount=target=/src,rw echo @",
    [["RUN --mount=target=/src,rw echo @", 'mount /src changed: "type=bind" → "type=bind,rw"']],
  ),
  edit(
    "an extra host",
    { dockerfile: "FROM busybox\nRUN echo @" },
    { options: { extraHosts: [{ host: "there", ip: "10.0.0.1" }] } },
    [["RUN echo @", "host there added"]],
  ),
  edit(
    "a ulimit",
    { dockerfile: "FROM busybox\nRUN echo @", options: { ulimits: [{ name: "nofile", soft: 100, hard: 100 }] } },
    { options: { ulimits: [{ name: "nofile", soft: 200, hard: 200 }] } },
    [["RUN echo @", 'ulimit nofile changed: "100:100" → "200:200"']],
  ),
  edit("--no-cache", { dockerfile: "FROM busybox\nRUN echo @\nRUN echo 2" }, { options: { noCache: true } }, [
    ["RUN echo @", "--no-cache"],
    ["RUN echo 2", "--no-cache"],
  ]),
  edit(
    "--no-cache-filter",
    { dockerfile: "FROM busybox AS one\nRUN echo 1 @\nFROM one AS two\nRUN echo 2 @" },
    { options: { noCache: ["one"] } },
    [
      ["RUN echo 1 @", "--no-cache-filter=one"],
      ["RUN echo 2 @", "after [one 2/2] RUN echo 1 @, since --no-cache-filter=one"],
    ],
  ),
  edit(
    "the Dockerfile moved",
    { dockerfile: "FROM busybox\nRUN echo @", files: { "sub/Dockerfile": "FROM busybox\nRUN echo @" } },
    { options: { dockerfile: { path: "@folder/sub/Dockerfile" } } },
    [],
  ),
  edit(
    "a step that failed and is tried again",
    {
      dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s test "$(cat /run/secrets/s)" = good # @',
      options: { secrets: { s: "bad" } },
      fails: true,
    },
    { options: { secrets: { s: "good" } } },
    [['RUN --mount=type=secret,id=s test "$(cat /run/secrets/s)" = good # @', "did not succeed in the last build"]],
  ),
  edit("the cache pruned", { dockerfile: "FROM busybox\nRUN echo @" }, { prepare: async (world) => await world.prune() }, [
    ["RUN echo @", "cache record gone: builder prune at <time>"],
  ]),
];

const sources: readonly Edit[] = [
  edit(
    "the tag of the base image moved",
    {
      dockerfile: "FROM base-@\nRUN echo @",
      prepare: async (world) => await world.image("base-@", "FROM busybox\nRUN echo 1 @ > /x"),
    },
    { prepare: async (world) => await world.image("base-@", "FROM busybox\nRUN echo 2 @ > /x") },
    [
      ["FROM docker.io/library/base-@:latest@<digest>", "base image base-@:latest moved: <digest> → <digest>"],
      [
        "RUN echo @",
        "after [1/2] FROM docker.io/library/base-@:latest, since base image base-@:latest moved: <digest> → <digest>",
      ],
    ],
  ),
  edit(
    "ONBUILD of the base image",
    {
      dockerfile: "FROM base-@",
      prepare: async (world) => await world.image("base-@", "FROM busybox\nONBUILD RUN echo 1 @"),
    },
    { prepare: async (world) => await world.image("base-@", "FROM busybox\nONBUILD RUN echo 2 @") },
    [["ONBUILD RUN echo 2 @", 'instruction changed: "ONBUILD RUN echo 1 @" → "ONBUILD RUN echo 2 @"']],
  ),
  edit(
    "ENV of the base image",
    {
      dockerfile: "FROM base-@\nRUN echo @",
      prepare: async (world) => await world.image("base-@", "FROM busybox\nENV E=1"),
    },
    { prepare: async (world) => await world.image("base-@", "FROM busybox\nENV E=2") },
    [["RUN echo @", 'environment E changed: "1" → "2"']],
  ),
  edit(
    "a file of a named context",
    {
      dockerfile: "FROM scratch\nCOPY --from=more f /@",
      files: { "more/f": "f @" },
      options: { contexts: { more: { kind: "folder", path: "@folder/more" } } },
    },
    { files: { "more/f": "ff @" } },
    [["COPY --from=more f /@", "1 file of more changed: f (content)"]],
  ),
  edit(
    "a named context that is another folder",
    {
      dockerfile: "FROM scratch\nCOPY --from=more . /@",
      files: { "more/f": "f @", "less/g": "g @" },
      options: { contexts: { more: { kind: "folder", path: "@folder/more" } } },
    },
    { options: { contexts: { more: { kind: "folder", path: "@folder/less" } } } },
    [["COPY --from=more . /@", "2 files of more changed: f (removed), g (added)"]],
  ),
  edit(
    "the branch of a repository moved",
    { dockerfile: "FROM scratch\nADD @git#main /@/", prepare: (world) => world.commit("f", "1 @") },
    { prepare: (world) => world.commit("f", "2 @") },
    [
      ["ADD @git#main /@/", "@git#main moved: <commit> → <commit>"],
      [
        "ADD @git#main /@/",
        "1 file of @git#main changed: f (content), since [1/1] ADD @git#main /@/: @git#main moved: <commit> → <commit>",
      ],
    ],
  ),
  edit(
    "the repository that is the context moved",
    {
      options: { context: { kind: "remote", url: "@git#main" } },
      prepare(world) {
        world.commit("Dockerfile", "FROM busybox\nCOPY f /@");
        world.commit("f", "1 @");
      },
    },
    { prepare: (world) => world.commit("f", "2 @") },
    [
      [
        "COPY f /@",
        "1 file of @git#main changed: f (content), since [internal] load git source @git#…: @git#main moved: <commit> → <commit>",
      ],
    ],
  ),
  edit(
    "the body behind a URL",
    { dockerfile: "FROM scratch\nADD @url /@", prepare: (world) => world.serve("one @") },
    { prepare: (world) => world.serve("two @") },
    [
      ["ADD @url /@", "@url moved: <digest> → <digest>"],
      ["ADD @url /@", "1 file of @url changed: file (content), since [1/1] ADD @url /@: @url moved: <digest> → <digest>"],
    ],
  ),
];

const platforms: readonly Edit[] =
  process.arch !== "x64"
    ? []
    : [
        rewrite("the platform", "FROM busybox\nRUN echo @", "FROM --platform=linux/amd64/v2 busybox\nRUN echo @", [
          ["RUN echo @", 'platform changed: "linux/amd64" → "linux/amd64/v2"'],
        ]),
      ];

export const edits: readonly Edit[] = [...instructions, ...stages, ...args, ...files, ...flags, ...sources, ...platforms];
