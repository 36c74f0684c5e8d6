// Two packages that run docker and docker-compose for programs, and read what these print.
const { Docker } = require("docker-cli-js");
const compose = require("docker-compose");

const [cwd = "", name = ""] = process.argv.slice(2);
const docker = new Docker({ currentWorkingDirectory: cwd, echo: false });
const run = async () => {
  const results = {};
  await docker.command(`build -t ${name} .`);
  results.id = (await docker.command(`run --name ${name} -d ${name} sleep 1000`)).containerId;
  results.ps = (await docker.command("ps")).containerList;
  results.images = (await docker.command("images")).images;
  const [inspected] = (await docker.command(`inspect ${name}`)).object;
  results.inspected = { Name: inspected.Name, Running: inspected.State.Running, Image: inspected.Config.Image };
  results.info = (await docker.command("info")).object;
  await docker.command(`rm -f ${name}`);

  results.up = (await compose.upAll({ cwd, commandOptions: ["--build"] })).exitCode;
  results.services = (await compose.ps({ cwd, commandOptions: [["--format", "json"]] })).data.services;
  results.exec = (await compose.exec("web", "cat /who", { cwd })).out;
  results.logs = (await compose.logs("web", { cwd })).out;
  results.version = (await compose.version({ cwd })).data;
  results.port = (await compose.port("web", 80, { cwd })).data;
  results.down = (await compose.downAll({ cwd })).exitCode;
  console.log(`RESULTS ${JSON.stringify(results)}`);
};
run().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
