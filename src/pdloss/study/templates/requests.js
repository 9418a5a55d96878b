// Requests to the server, and how long to wait before asking again.

export class Refused extends Error {
  constructor(status, data) {
    super(data.error || `refused (${status})`);
    this.status = status;
    this.data = data;
  }
}

export async function ask(path, key, body) {
  const options = { headers: {}, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(20000) };
  if (key) options.headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const reply = await fetch(path, options);
  if (!reply.ok) throw new Refused(reply.status, await reply.json().catch(() => ({})));
  return reply.json();
}

// What may be different next time: no connection, too many requests, a server that is being started again.
export function passes(error) {
  return !(error instanceof Refused) || [408, 429].includes(error.status) || error.status >= 500;
}

// Tries until it succeeds or is refused for good; `told` hears of every failure, and of success as null.
export async function patiently(attempt, told = () => {}, again = passes) {
  for (let wait = 400; ; wait = Math.min(2 * wait, 10000)) {
    try {
      const result = await attempt();
      told(null);
      return result;
    } catch (error) {
      if (!again(error)) throw error;
      told(error);
      await pause(wait * (1 + Math.random() / 4));
    }
  }
}

// Waits, but not longer than until the connection is back.
function pause(milliseconds) {
  return new Promise((resolve) => {
    const stop = () => {
      clearTimeout(timer);
      window.removeEventListener("online", stop);
      resolve();
    };
    const timer = setTimeout(stop, milliseconds);
    window.addEventListener("online", stop);
  });
}

export function random(bytes = 24) {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...drawn)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
