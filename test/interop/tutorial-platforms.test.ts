/** The tutorial's last chapter, in its own words: builders, cross-compiled programs, and a server for another architecture. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { before, test } from "node:test";
import { start } from "../kit/command.ts";
import { aliasDocker } from "../kit/docker-alias.ts";
import { describeOnce } from "../kit/each-way.ts";
import { bringEmulators } from "../kit/emulators.ts";

const example = resolve(import.meta.dirname, "../../examples/buildme");

describeOnce("the tutorial's platforms", (box) => {
  const folder = box.path("buildme");
  let env: Readonly<Record<string, string>>;
  const shell = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await start(["sh", "-c", command], { cwd: folder, env }).result;
    assert.equal(code, 0, `${command}\n${stderr}`);
    return stdout.toString();
  };

  before(() => {
    cpSync(example, folder, { recursive: true });
    copyFileSync(`${folder}/chapters/8.Dockerfile`, `${folder}/Dockerfile`);
    env = aliasDocker(box, { path: bringEmulators(box) });
  });

  test("B41 B42 W03 a builder of its own for concurrent platforms is made and listed", async () => {
    assert.equal((await shell("docker buildx create --driver=docker-container --name=container")).trim(), "container");
    assert.match(await shell("docker buildx ls"), /^container\s+docker-container/m);
  });

  test("B20 B13 E05 darwin/arm64, windows/amd64 and linux/amd64 are compiled across into folders of their own", async () => {
    const platforms = "darwin/arm64,windows/amd64,linux/amd64";
    await shell(`docker buildx build --target=binaries --output=bin --builder=container --platform=${platforms} .`);
    assert.deepEqual(readdirSync(`${folder}/bin`).toSorted(), ["darwin_arm64", "linux_amd64", "windows_amd64"]);
    for (const program of ["client", "server"]) {
      const kind = (name: string) => execFileSync("file", ["-b", `${folder}/bin/${name}/${program}`]).toString();
      assert.match(kind("darwin_arm64"), /^Mach-O 64-bit arm64 executable/);
      assert.match(kind("windows_amd64"), /^PE32\+ executable .*x86-64/);
      assert.match(kind("linux_amd64"), /^ELF 64-bit LSB executable, x86-64/);
    }
  });

  test("R12 B20 the server image for linux/arm/v7 answers under emulation", async () => {
    await shell(
      "docker build --builder=container --target=server --platform=linux/arm/v7 --output=type=oci,dest=server,tar=false -t server .",
    );
    const asking = [
      "FROM server",
      "COPY --from=busybox /bin/busybox /bin/sh",
      "RUN (PORT=3123 /bin/server & echo $! > /pid) && tries=0; until" +
        ' wget -qO /answer "http://127.0.0.1:3123/?s=hello" || [ $tries -ge 120 ]; do tries=$((tries + 1)); sleep 1; done;' +
        " kill $(cat /pid); uname -m >> /answer",
      "FROM scratch",
      "COPY --from=0 /answer /",
    ].join("\n");
    box.write("asking", { Dockerfile: asking });
    const named = "--build-context server=oci-layout://$PWD/server";
    await shell(`docker build --builder=container --platform=linux/arm/v7 ${named} --output=answer ../asking`);
    assert.match(execFileSync("cat", [`${folder}/answer/answer`]).toString(), /^hohelollolo\s*armv[78]l\s*$/);
  });
});
