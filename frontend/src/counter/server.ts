/** Asking the server, and telling "no network" from "refused". */

/** Nothing came back: no network, a server that does not answer, or an answer that was no answer. The request may have been done. */
export class NoAnswer extends Error {}

/** The server wants someone to sign in. */
export class SignInNeeded extends Error {}

/** The server refuses; `words` are for the reader. */
export class RefusedByServer extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly words: string,
  ) {
    super(words || code || String(status));
  }
}

interface Problem {
  code?: string;
  words?: string;
  title?: string;
  detail?: string;
  errors?: { rule: string }[];
}

const PATIENCE_MS = 2500;

/** The JSON of an answer. `csrf`: for what writes. */
export async function ask<T>(
  path: string,
  { body, csrf, patienceMs = PATIENCE_MS }: { body?: unknown; csrf?: string; patienceMs?: number } = {},
): Promise<T> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patienceMs);
  let answer: Response;
  let said: unknown;
  try {
    answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      credentials: "same-origin",
      cache: "no-store",
      signal: stop.signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json", "X-CSRFToken": csrf ?? "" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    said = await answer.json().catch(() => null);
  } catch (reason) {
    throw new NoAnswer(String(reason));
  } finally {
    clearTimeout(timer);
  }
  if (answer.ok && said !== null) return said as T;
  if (answer.status === 401) throw new SignInNeeded();
  // A busy or broken server, or a stranger's page in between, has refused nothing.
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429 || answer.ok)
    throw new NoAnswer(String(answer.status));
  const problem = (said ?? {}) as Problem;
  const words = problem.words ?? problem.errors?.[0]?.rule ?? problem.detail ?? problem.title ?? "";
  throw new RefusedByServer(answer.status, problem.code ?? "", words);
}
