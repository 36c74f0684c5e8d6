/** A difference that stays, with the reason why BuildKit's way is not ours. */
export interface Exception {
  /** Names of cases; all where absent. */
  readonly cases?: readonly string[];
  /** What the Dockerfile of a build made by chance holds; with it no written case is meant. */
  readonly dockerfile?: RegExp;
  /** The place of the difference, as the report prints it. */
  readonly place: RegExp;
  /** What the engine has there; anything where absent. */
  readonly docker?: RegExp;
  /** What Varve has there; anything where absent. */
  readonly varve?: RegExp;
  readonly why: string;
}

const parentsWhy =
  "BuildKit's newer solvers refuse a missing source of --parents; the engine's solver does not know the rule yet and copies nothing";
const triggerWhy =
  "BuildKit stores any text as a trigger, and each build upon the image fails; Varve reads it where it can still be put right";

export const exceptions: readonly Exception[] = [
  {
    cases: ["copy-chmod-octal", "copy-chmod-777-parents", "files-special-bits"],
    place: /^\/(4|new|new\/dir|new\/dir\/5|n1|n1\/n2|n3) mode$/,
    why: "the Docker Engine makes folders under its own umask 022, whatever --chmod says; buildkitd has umask 0, and so has Varve",
  },
  {
    cases: ["copy-parents-missing", "copy-parents-through-symlink"],
    place: /^refusal$/,
    why: parentsWhy,
  },
  {
    dockerfile: /--parents/,
    place: /^build$/,
    docker: /^succeeded/,
    varve: /TREE_NOT_FOUND/,
    why: parentsWhy,
  },
  {
    dockerfile: /^\s*onbuild/im,
    place: /^build$/,
    docker: /^succeeded/,
    varve: /DOCKERFILE_(?:SYNTAX|FLAG|UNKNOWN_|HEREDOC|MOUNT|TRIGGER)/,
    why: triggerWhy,
  },
  {
    cases: ["onbuild-mistake-unused"],
    place: /^build$/,
    docker: /^succeeded/,
    why: triggerWhy,
  },
  {
    dockerfile: /^add /im,
    place: /^refusal$/,
    docker: /chtimesat .* no such file or directory/,
    why: "the engine gives folders of an archive their times when all is unpacked, and stumbles over one that a later entry took the place of",
  },
  {
    place: /^(config\.history|config\.rootfs\.layers|manifest\.layers)$/,
    docker: /^null$/,
    why: "of an image without layers BuildKit writes null lists, which the schema of the OCI image specification does not allow; Varve writes empty ones",
  },
  {
    cases: ["ignore-all-of-a-folder-beside-a-tmpfs"],
    place: /^build$/,
    docker: /^succeeded/,
    why: "BuildKit takes a tmpfs mount for one of the context, and sends the whole context; so a folder whose files are all ignored is there, empty. Varve reads what the Dockerfile names",
  },
  {
    cases: ["add-tar-plain"],
    place: / xattrs$/,
    docker: /^\{\}$/,
    why: "BuildKit's exporter loses all extended attributes but file capabilities; Varve keeps what the files have",
  },
  {
    cases: ["files-device-nodes"],
    place: /^\/[noq]\/blk type$/,
    docker: /^"character"$/,
    why: "BuildKit makes a character device of the copy of a block device, with the numbers of the block device: it clears a bit too many",
  },
  {
    cases: ["quote-expose-text-before-default"],
    place: /^config\.(?:config\.ExposedPorts\.(?:1|81)\/tcp|history\.2\.created_by)$/,
    why: "BuildKit loses what stands before an expansion with a default in a word of EXPOSE, and would expose port 1 for 8${X:-1}",
  },
  {
    cases: ["run-user-without-passwd"],
    place: /^build$/,
    docker: /unable to find user 1000: invalid argument/,
    why: "the engine's BuildKit trips over a missing passwd file; newer ones take the number as it is",
  },
  {
    cases: ["run-proc-sys-dev"],
    place: /^\/[12] content$/,
    why: "crun always makes the link /dev/core, runc only where /proc/kcore can be read; with runc there is no difference",
  },
  {
    cases: ["run-mount-options-seen"],
    place: /^\/1 content$/,
    why: "crun mounts the read-only paths of /proc, and the folder of version 1 cgroups, with other flags than runc; with runc there is no difference",
  },
  {
    cases: ["run-stdin-and-tty"],
    place: /^\/3 content$/,
    why: "standard input is at its end in both, but here it is /dev/null and not a closed pipe, whose number differs each time anyway",
  },
  {
    cases: ["run-exec-relative-path"],
    place: /^\/out content$/,
    why: "crun starts ./prog by its whole path, which a script sees as $0; with runc there is no difference",
  },
];
