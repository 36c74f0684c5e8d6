// AWS CDK's bundling of assets, both ways it gives a container its files, with an image that it builds; and a file out of that image.
const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { App, AssetHashType, AssetStaging, BundlingFileAccess, DockerImage, Stack } = require("aws-cdk-lib");

const [folder = ""] = process.argv.slice(2);
const stack = new Stack(new App({ outdir: join(folder, "cdk.out") }), "stack");
const image = DockerImage.fromBuild(join(folder, "image"));
const bundle = (id, bundlingFileAccess) => {
  const { absoluteStagedPath } = new AssetStaging(stack, id, {
    sourcePath: join(folder, "asset"),
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image,
      bundlingFileAccess,
      environment: { WHO: id },
      command: ["sh", "-c", "cat in.txt /tool > /asset-output/out.txt && echo $WHO >> /asset-output/out.txt"],
    },
  });
  return readFileSync(join(absoluteStagedPath, "out.txt"), "utf8");
};
const results = {
  bind: bundle("bind", BundlingFileAccess.BIND_MOUNT),
  volume: bundle("volume", BundlingFileAccess.VOLUME_COPY),
  copied: readdirSync(image.cp("/tool", join(folder, "copied"))),
};
console.log(`RESULTS ${JSON.stringify(results)}`);
