import type { ProxyEnv } from "../llb/index.ts";

/** Proxy settings as a command sees them, in both spellings (A05). They are no part of the image or of any key. */
export function proxyVariables(proxy: ProxyEnv | undefined): string[] {
  if (!proxy) return [];
  const values: readonly (readonly [string, string])[] = [
    ["HTTP_PROXY", proxy.httpProxy],
    ["HTTPS_PROXY", proxy.httpsProxy],
    ["FTP_PROXY", proxy.ftpProxy],
    ["NO_PROXY", proxy.noProxy],
    ["ALL_PROXY", proxy.allProxy],
  ];
  return values
    .filter(([, value]) => value !== "")
    .flatMap(([name, value]) => [`${name}=${value}`, `${name.toLowerCase()}=${value}`]);
}
