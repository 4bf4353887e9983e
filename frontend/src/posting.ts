/** Sending to the interface from a phone whose network comes and goes. */

export interface Sending {
  headers?: Record<string, string>;
  credentials: RequestCredentials;
  /** After so long without an answer it counts as none. */
  patienceMs: number;
}

/** POST, and give up when no answer comes in time. */
export async function post(
  path: string,
  body: BodyInit,
  { headers = {}, credentials, patienceMs }: Sending,
): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), patienceMs);
  try {
    return await fetch(path, { method: "POST", body, headers, credentials, signal: patience.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** Whether asking again may help: the server is busy or out of order, or too much came. */
export const passing = (answer: Response): boolean =>
  answer.status >= 500 || [408, 425, 429].includes(answer.status);
