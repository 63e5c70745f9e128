// The job API for a browser: the key, requests, and event streams by fetch (EventSource cannot send a header).

const KEY_NAME = "tintype.key";
const RECONNECT_MS_MAX = 15_000;
const SILENCE_MS_MAX = 45_000; // three heartbeats

/** A refusal of the server, as problem+json tells it. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = body.code || `http.${status}`;
    this.parameter = body.parameter;
    this.retryAfter = retryAfter;
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY_NAME),
  set: (value) => sessionStorage.setItem(KEY_NAME, value),
  forget: () => sessionStorage.removeItem(KEY_NAME),
};

/** Takes the key out of the link that `tintype serve` prints, and out of the address bar and history. */
export function takeKeyFromLink() {
  const match = /^#key=(tt_[A-Za-z0-9_-]{16,200})$/.exec(location.hash);
  if (location.hash.startsWith("#key=")) history.replaceState(null, "", location.pathname);
  if (match) key.set(match[1]);
  return Boolean(match);
}

async function request(method, path, { body, headers, signal } = {}) {
  const all = { ...headers };
  if (key.get()) all.Authorization = `Bearer ${key.get()}`;
  const file = body instanceof Blob;
  if (body !== undefined) all["Content-Type"] = file ? body.type : "application/json";
  const response = await fetch(path, {
    method,
    headers: all,
    body: body === undefined || file ? body : JSON.stringify(body),
    signal,
    cache: "no-store",
    credentials: "omit",
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Problem(response.status, problem, Number(response.headers.get("Retry-After")) || undefined);
  }
  return response;
}

const json = async (method, path, options) => (await request(method, path, options)).json();
const jobPath = (id) => `/v1/jobs/${encodeURIComponent(id)}`;

export const api = {
  models: () => json("GET", "/v1/models").then((answer) => answer.models),
  jobs: (before) => json("GET", `/v1/jobs?limit=24${before ? `&before=${encodeURIComponent(before)}` : ""}`),
  job: (id) => json("GET", jobPath(id)),
  cancel: (id) => json("DELETE", jobPath(id)),
  /** A picture to start from, PNG or JPEG; its SHA-256 is its name. */
  upload: (blob) => json("POST", "/v1/images", { body: blob }),
  /** The same idempotency key makes a retry after a lost answer harmless. */
  submit: (body, idempotencyKey) =>
    json("POST", "/v1/jobs", { body, headers: { "Idempotency-Key": idempotencyKey } }),
};

/** Cuts a byte stream into events, as the HTML standard's section on server-sent events says. */
async function* parse(stream, onBytes) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = { id: undefined, type: "message", data: [] };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      rest += value;
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (event.data.length) yield { ...event, data: event.data.join("\n") };
          event = { id: undefined, type: "message", data: [] };
          continue;
        }
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "id") event.id = text;
        else if (field === "event") event.type = text;
        else if (field === "data") event.data.push(text);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * A server that was told no public address writes localhost into the URLs of pictures. Whoever sees this page by another
 * name of the same server (127.0.0.1, its address in the network) loads them from there.
 */
export function localUrls(urls) {
  const local = (text) => {
    const url = new URL(text, location.origin);
    return LOOPBACK.test(url.hostname) ? url.pathname + url.search : text;
  };
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, local(url)]));
}

const TERMINAL = new Set(["succeeded", "failed", "canceled", "expired", "dead"]);

/**
 * All events of a job, reconnecting with Last-Event-ID until the last one.
 * `onTrouble(true)` is called while the connection is lost, `onTrouble(false)` when it is back.
 */
export async function* events(id, signal, onTrouble = () => {}) {
  let lastId;
  for (let failures = 0; !signal.aborted; ) {
    const connection = new AbortController();
    const stop = () => connection.abort();
    signal.addEventListener("abort", stop, { once: true });
    let watchdog = setTimeout(stop, SILENCE_MS_MAX);
    try {
      const headers = { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) };
      const response = await request("GET", `${jobPath(id)}/events`, { headers, signal: connection.signal });
      if (response.status === 204) return;
      onTrouble(false);
      failures = 0;
      const alive = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(stop, SILENCE_MS_MAX);
      };
      for await (const event of parse(response.body, alive)) {
        if (event.id) lastId = event.id;
        if (event.type === "error") break;
        yield JSON.parse(event.data);
        if (TERMINAL.has(event.type)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status < 500 && error.status !== 429) throw error;
      onTrouble(true);
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", stop);
    }
    failures += 1;
    const wait = Math.min(500 * 2 ** failures, RECONNECT_MS_MAX) * (0.75 + Math.random() / 2);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
