// Calls of the REST API. Every page goes through `call`; errors are ApiError, whose text is the server's own.
import type { Place } from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly places: Place[] = [],
    readonly body: unknown = null,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  // Of a trigger: the same key never starts the same thing twice, however often the call is repeated.
  idempotencyKey?: string;
}

let csrf: string | null = null;
let onSignedOut: () => void = () => {};

export function rememberCsrf(token: string | null | undefined): void {
  csrf = token ?? null;
}
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

// Parts in braces are filled from `path`, each one encoded: a name with a slash stays one part.
export function urlOf(template: string, path: Record<string, string> = {}, query: Query = {}): string {
  const filled = template.replace(/\{(\w+)(\.\.\.)?\}/g, (_, name: string, rest?: string) => {
    const value = path[name] ?? "";
    return rest ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
  });
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return `/api/v1${filled}${text ? `?${text}` : ""}`;
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text);
    if (body?.error?.message) {
      return new ApiError(response.status, body.error.kind ?? "", body.error.message, body.error.places ?? [], body);
    }
  } catch {
    // Not from our server: a proxy's page.
  }
  return new ApiError(
    response.status,
    response.status === 404 ? "not_found" : "unavailable",
    `The server answered with status ${response.status}${text && text.length < 200 ? `: ${text.trim()}` : ""}.`,
  );
}

export async function call<T>(
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  template: string,
  path: Record<string, string> = {},
  options: CallOptions = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (options.idempotencyKey) headers["Idempotency-Key"] = options.idempotencyKey;
  let response: Response;
  try {
    response = await fetch(urlOf(template, path, options.query), {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError(0, "unavailable", "The server cannot be reached. It may be stopped, or the network is down.");
  }
  if (!response.ok) {
    const error = await errorOf(response);
    if (response.status === 401 && template !== "/session") onSignedOut();
    throw error;
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

// Answers that become a file on the reader's disk.
export async function download(template: string, body: unknown, fileName: string): Promise<void> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const response = await fetch(urlOf(template), {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    credentials: "same-origin",
  });
  if (!response.ok) throw await errorOf(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}
