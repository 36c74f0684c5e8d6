import type { Service } from "../compose-file/index.ts";
import type { PortRequest } from "../containers/index.ts";
import { VarveError } from "../errors/index.ts";

/**
 * The ports of a container of a service. Of a range of the host it takes the first free one, so that scaled services share the range.
 * Fails with SERVICE_UNSUPPORTED and SERVICE_INVALID.
 */
export function portRequests({ name, ports = [] }: Service): readonly PortRequest[] {
  return ports.map(({ target, published, protocol = "tcp", host_ip: hostIp }) => {
    if (protocol !== "tcp" && protocol !== "udp")
      throw new VarveError(
        "SERVICE_UNSUPPORTED",
        `service "${name}" publishes a port of ${protocol}, which Varve does not support`,
      );
    return {
      containerPort: target,
      protocol,
      ...(hostIp === undefined ? {} : { hostIp }),
      ...(published === undefined || published === "0" ? {} : readPublished(published, name)),
    };
  });
}

function readPublished(published: string, name: string): Pick<PortRequest, "hostPort" | "lastHostPort"> {
  const match = /^(\d+)(?:-(\d+))?$/.exec(published);
  if (match === null) throw new VarveError("SERVICE_INVALID", `invalid published port "${published}" of service "${name}"`);
  const hostPort = Number(match[1]);
  return match[2] === undefined ? { hostPort } : { hostPort, lastHostPort: Number(match[2]) };
}
