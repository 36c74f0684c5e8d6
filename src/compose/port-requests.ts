import type { Service } from "../compose-file/index.ts";
import type { PortRequest } from "../containers/index.ts";
import { VarveError } from "../errors/index.ts";

/**
 * The ports of one container of a service. Of a range of the host the container takes the place of its number, so that scaled
 * services share the range. Fails with SERVICE_UNSUPPORTED and SERVICE_INVALID.
 */
export function portRequests({ name, ports = [] }: Service, number: number): readonly PortRequest[] {
  return ports.map(({ target, published, protocol = "tcp", host_ip: hostIp }) => {
    if (protocol !== "tcp" && protocol !== "udp")
      throw new VarveError(
        "SERVICE_UNSUPPORTED",
        `service "${name}" publishes a port of ${protocol}, which Varve does not support`,
      );
    const hostPort = published === undefined || published === "0" ? undefined : takePort(published, { name, number });
    return {
      containerPort: target,
      protocol,
      ...(hostIp === undefined ? {} : { hostIp }),
      ...(hostPort === undefined ? {} : { hostPort }),
    };
  });
}

function takePort(published: string, { name, number }: { readonly name: string; readonly number: number }): number {
  const match = /^(\d+)(?:-(\d+))?$/.exec(published);
  if (match === null) throw new VarveError("SERVICE_INVALID", `invalid published port "${published}" of service "${name}"`);
  const first = Number(match[1]);
  if (match[2] === undefined) return first;
  const port = first + number - 1;
  if (port > Number(match[2]))
    throw new VarveError("SERVICE_INVALID", `the ports ${published} of service "${name}" do not suffice for container ${number}`);
  return port;
}
