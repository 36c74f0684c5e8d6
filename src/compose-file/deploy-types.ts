import type { Bytes, Milliseconds, StringMap } from "./types.ts";

/** `deploy:` of a service (Compose Deploy Specification). */
export interface DeploySection {
  readonly mode?: string;
  readonly replicas?: number;
  readonly labels?: StringMap;
  readonly update_config?: UpdatePolicy;
  readonly rollback_config?: UpdatePolicy;
  readonly resources?: { readonly limits?: Resources; readonly reservations?: Resources };
  readonly restart_policy?: {
    /** `none`, `on-failure` or `any`. */
    readonly condition?: string;
    readonly delay?: Milliseconds;
    readonly max_attempts?: number;
    readonly window?: Milliseconds;
  };
  readonly placement?: {
    readonly constraints?: readonly string[];
    readonly preferences?: readonly { readonly spread?: string }[];
    readonly max_replicas_per_node?: number;
  };
  readonly endpoint_mode?: string;
}

export interface UpdatePolicy {
  readonly parallelism?: number;
  readonly delay?: Milliseconds;
  readonly failure_action?: string;
  readonly monitor?: Milliseconds;
  readonly max_failure_ratio?: number;
  readonly order?: string;
}

export interface Resources {
  readonly cpus?: number;
  readonly memory?: Bytes;
  readonly pids?: number;
  readonly devices?: readonly DeviceRequest[];
  readonly generic_resources?: readonly { readonly discrete_resource_spec?: { readonly kind: string; readonly value: number } }[];
}

export interface DeviceRequest {
  readonly capabilities?: readonly string[];
  readonly driver?: string;
  /** -1: all. */
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly options?: StringMap;
}

/** `healthcheck:` of a service. */
export interface HealthcheckSection {
  /** `["CMD", …]`, `["CMD-SHELL", text]` or `["NONE"]`. */
  readonly test?: readonly string[];
  readonly timeout?: Milliseconds;
  readonly interval?: Milliseconds;
  readonly retries?: number;
  readonly start_period?: Milliseconds;
  readonly start_interval?: Milliseconds;
  readonly disable?: boolean;
}
