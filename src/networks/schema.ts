/** Tables of this room. */
export const networksSchema = `
CREATE TABLE IF NOT EXISTS networks (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  driver TEXT NOT NULL,
  created INTEGER NOT NULL,   -- milliseconds since 1970
  labels TEXT NOT NULL,       -- JSON object
  options TEXT NOT NULL,      -- JSON object
  internal INTEGER NOT NULL,
  attachable INTEGER NOT NULL,
  subnets TEXT NOT NULL,      -- JSON list
  chosen INTEGER NOT NULL,    -- nobody asked for this subnet: another may take its place while no container is there
  bridge TEXT NOT NULL,       -- name of the link, "" of host and none
  predefined INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS network_members (
  container TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hostname TEXT NOT NULL,
  ports TEXT NOT NULL,        -- JSON list of published ports
  dns TEXT NOT NULL,          -- JSON list of servers that it asked for
  forwarder TEXT              -- owner text of the process that forwards its ports, where one does
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS network_endpoints (
  container TEXT NOT NULL,
  network TEXT NOT NULL,
  position INTEGER NOT NULL,  -- eth0 is 0
  ipv4 TEXT NOT NULL,
  mac TEXT NOT NULL,
  aliases TEXT NOT NULL,      -- JSON list
  link TEXT NOT NULL,         -- name of the end that stays outside
  PRIMARY KEY (container, network),
  UNIQUE (network, ipv4)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS networks_with_ipv6 (
  network TEXT PRIMARY KEY,
  chosen INTEGER NOT NULL     -- nobody asked for its IPv6 subnet
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS network_endpoints_ipv6 (
  container TEXT NOT NULL,
  network TEXT NOT NULL,
  ipv6 TEXT NOT NULL,
  PRIMARY KEY (container, network),
  UNIQUE (network, ipv6)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS network_state (
  key TEXT PRIMARY KEY,       -- dirty, holder, way-out, forwarding, forwarding-ipv6, dropping
  value TEXT NOT NULL
) WITHOUT ROWID;
`;
