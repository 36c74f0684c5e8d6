import type { FileSpec } from "./case.ts";
import type { Random } from "./random.ts";

/*
 * RUN alone: what steps do to a tree of few names over several layers, so that files of lower layers are removed, renamed, replaced and
 * changed in each way; and the mounts and the environment that a step sees.
 */

const places = [
  "/r",
  "/r/a",
  "/r/a/b",
  "/r/a/b/c",
  "/r/f",
  "/r/a/f",
  "/old",
  "/old/deep",
  "/old/deep/er",
  "/old/file",
  "/old/one",
  "/old/two",
  "/real",
  "/old/capable",
  "/old/setuid",
  "/link-to-real",
  "/r/ü n",
  "/var",
];
const modes = ["700", "1777", "2755", "4711", "0", "u+s", "g-rx", "a+rwx"];

/** The files of a build whose layers change each other. */
export function makeRuns(random: Random): FileSpec[] {
  const lines = ["FROM varve-base AS base", `RUN mkdir -p /r/a/b; ${sequence(random, 3)}`, "FROM base"];
  for (let left = 4 + random.below(5); left > 0; left -= 1) lines.push(makeStep(random));
  const text = (path: string, content: string): FileSpec => ({ path, kind: "file", content: Buffer.from(content) });
  return [
    text("Dockerfile", `${lines.join("\n")}\n`),
    text("a", "a\n"),
    text("d/f", "f\n"),
    text("d/e/g", "g\n"),
    { path: "d/l", kind: "symlink", target: "/r/a" },
  ];
}

function sequence(random: Random, most: number): string {
  return random.several(1, most, () => `{ ${change(random)}; } 2>/dev/null`).join("; ") + "; true";
}

function change(random: Random): string {
  const place = () => random.pick(places);
  return random.pick<() => string>([
    () => `rm -rf ${place()}`,
    () => `rm -rf ${place()}`,
    () => `p=${quote(place())}; rm -rf "$p"; mkdir -p "$p"${random.chance(0.4) ? '; echo new > "$p/f"' : ""}`,
    () => `mv ${quote(place())} ${quote(place())}`,
    () => `mv -T ${quote(place())} ${quote(place())}`,
    () => `cp -a ${quote(place())} ${quote(place())}2`,
    () => `p=${quote(place())}; cp -a "$p" /tmp/t && rm -rf "$p" && mv /tmp/t "$p"; rm -rf /tmp/t`,
    () => `echo ${random.pick(["x", "y"])} > ${quote(place())}`,
    () => `echo more >> ${quote(place())}`,
    () => `: >> ${quote(place())}`,
    () => `mkdir -p ${quote(place())}/${random.pick(["n", "a/b", ".wh", "n/m"])}`,
    () => `ln -s ${quote(place())} ${quote(place())}`,
    () => `ln -sfn ../x ${quote(place())}`,
    () => `ln ${quote(place())} ${quote(place())}3`,
    () => `ln -f ${quote(place())} ${quote(place())}`,
    () => `chmod ${random.pick(modes)} ${quote(place())}`,
    () => `chown ${random.pick(["5:6", "app", "0:33", "70000:70000"])} ${quote(place())}`,
    () => `chown -h -R 9 ${quote(place())}`,
    () => `touch -d @${random.pick(["1000000000", "0", "1", "2000000000"])} ${quote(place())}`,
    () => `touch -h -d @1000000001 ${quote(place())}`,
    () => `mkfifo ${quote(place())}4`,
    () => `mknod ${quote(place())}5 c 1 3`,
    () => `dd if=/dev/zero of=${quote(place())} bs=1 count=1 seek=300000 conv=notrunc`,
    () => `truncate -s ${random.pick(["0", "10", "100000"])} ${quote(place())}`,
    () => `p=${quote(place())}; rm -rf "$p"; ln -s /real "$p"`,
    () => `p=${quote(place())}; rm -rf "$p"; echo file > "$p"`,
    () => `rm -rf ${quote(place())}/*`,
    () => `rm -f ${quote(place())}/f; echo again > ${quote(place())}/f`,
  ])();
}

function quote(path: string): string {
  return path.includes(" ") ? `"${path}"` : path;
}

function makeStep(random: Random): string {
  const mount = () => {
    const target = random.pick(["/m", "/r/a", "/r/new/er", "/old", "m", "/link-to-real/m", "/old/deep/file", "/etc/x", "/tmp"]);
    return random.pick([
      `--mount=type=bind,target=${target}${random.pick(["", ",rw", ",source=d", ",source=/d/e,rw", ",readonly=false"])}`,
      `--mount=type=bind,from=base,source=${random.pick(["/old", "/r", "/", "r/a"])},target=${target}${random.pick(["", ",rw"])}`,
      `--mount=type=bind,source=a,target=${random.pick(["/m-file", "/old/file", "/r/x/file"])}`,
      `--mount=type=cache,target=${target}${random.pick(["", ",id=x%d", ",uid=5,gid=6,mode=0711", ",from=base,source=/old", ",sharing=private", ",ro"])}`.replace(
        "%d",
        String(random.below(1e9)),
      ),
      `--mount=type=tmpfs,target=${target}${random.pick(["", ",size=1m"])}`,
    ]);
  };
  return random.pick<() => string>([
    () => `RUN ${sequence(random, 4)}`,
    () => `RUN ${sequence(random, 4)}`,
    () => `RUN ${sequence(random, 4)}`,
    () => `RUN ${sequence(random, 2)}`,
    () =>
      `RUN ${random.several(1, 2, mount).join(" ")} (stat -c '%n %a %u %g %F' /m /m/* /m-file /r/a /r/a/* /old /old/* | grep -v ' /dev'; cat /m-file) > /seen 2>/dev/null; ${sequence(random, 2)}`,
    () => `USER ${random.pick(["app", "0", "1000:5", "nohome", "4711", "web:extra"])}`,
    () => `WORKDIR ${random.pick(["/r/a", "w", "/old/new", "/link-to-real/w", "../up", "/"])}`,
    () => `ENV ${random.pick(["PATH=/bin", "HOME=/h", "X=1", 'Y="a b"', "LD_X=", "PWD=/nowhere"])}`,
    () => `ARG ${random.pick(["X=arg", "HTTP_PROXY", "Z=z", "TARGETARCH"])}`,
    () =>
      `RUN (env | grep -v -e HOSTNAME -e SHLVL | sort; id; pwd; umask; cat /etc/passwd | wc -l; grep -e Cap -e Groups -e Seccomp: /proc/self/status) > /tmp/env$RANDOM.txt; mv /tmp/env*.txt /tmp/env-$(id -u)`,
    () => `COPY d /r/${random.pick(["a/", "f", "a/b/", "d/", ""])}`,
    () => `SHELL ${random.pick(['["/bin/sh", "-xc"]', '["/bin/busybox", "ash", "-c"]'])}`,
  ])();
}
