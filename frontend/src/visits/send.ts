/** Sending what waits: each save under its own id, so that a lost answer, a closed page or two senders at once do no harm. */
import { type Conflict, type Draft, drafts, type Kit, keepKit, settleDraft, type Visit } from "./store";

/** No network, or an answer that was none. */
export class NoNetwork extends Error {}
/** Someone has to sign in first. */
export class SignInNeeded extends Error {}

const PATIENCE_MS = 20_000;

interface Answer {
  status: number;
  said: unknown;
}

async function ask(path: string, options: RequestInit = {}): Promise<Answer> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(path, {
      credentials: "same-origin",
      cache: "no-store",
      signal: stop.signal,
      ...options,
    });
    const said: unknown = await answer.json().catch(() => null);
    // A busy server, or a stranger's page in between, has refused nothing.
    if (answer.status >= 500 || answer.status === 429 || answer.redirected || said === null)
      throw new NoNetwork(String(answer.status));
    if (answer.status === 401 || answer.status === 403) throw new SignInNeeded();
    return { status: answer.status, said };
  } catch (reason) {
    if (reason instanceof SignInNeeded) throw reason;
    throw new NoNetwork(String(reason));
  } finally {
    clearTimeout(timer);
  }
}

/** Fetch what the phone takes along, and keep it. */
export async function fetchKit(): Promise<Kit> {
  const { status, said } = await ask("/api/visits/kit");
  if (status !== 200) throw new NoNetwork(String(status));
  const kit = said as Kit;
  await keepKit(kit);
  return kit;
}

function refusal(said: unknown): string {
  const problem = said as { title?: string; detail?: string; errors?: { rule: string }[] };
  const rules = (problem.errors ?? []).map(({ rule }) => rule).filter(Boolean);
  return rules.join(" ") || problem.detail || problem.title || "";
}

async function sendOne(draft: Draft, csrf: string): Promise<void> {
  const { client_id, request_id } = draft;
  const refuse = (words: string) =>
    settleDraft(client_id, request_id, (kept) => ({ ...kept, state: "refused", words }));
  const { status, said } = await ask(`/api/visits/${client_id}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
    body: JSON.stringify({
      request_id,
      base: draft.base,
      facts: draft.facts,
      needs: draft.needs,
      settles: draft.settles ?? null,
    }),
  });
  if (status === 404 || (status >= 400 && status !== 409)) return refuse(refusal(said));
  for (const photo of draft.photos) {
    const form = new FormData();
    form.append("photo", photo.file, "photo.jpg");
    const answer = await ask(`/api/visits/${client_id}/photos/${photo.id}`, {
      method: "POST",
      headers: { "X-CSRFToken": csrf },
      body: form,
    });
    if (answer.status >= 400) return refuse(refusal(answer.said));
  }
  if (status === 409) {
    const conflict = said as Conflict;
    return settleDraft(client_id, request_id, (kept) => ({
      ...kept,
      state: "conflict",
      conflict,
      needs: [],
      photos: [],
    }));
  }
  const visit = said as Visit;
  await settleDraft(client_id, request_id, () => undefined);
  // What was written while this was under way is based on what the server has now.
  const newer = (await drafts()).find((each) => each.client_id === client_id);
  if (newer && newer.base < visit.revision && newer.base === draft.base)
    await settleDraft(client_id, newer.request_id, (kept) => ({ ...kept, base: visit.revision }));
}

/** Send all that waits and was written in this post; what was written in another waits for that post. */
export async function sendAll(kit: Kit): Promise<void> {
  for (const draft of await drafts())
    if (draft.state === "waits" && draft.post === kit.post) await sendOne(draft, kit.csrf);
}

/** Let what stands on the server hold. */
export async function keepPresent(draft: Draft, kit: Kit): Promise<void> {
  if (!draft.conflict) return;
  const { status } = await ask(`/api/visits/${draft.client_id}/settle/${draft.conflict.request_id}`, {
    method: "POST",
    headers: { "X-CSRFToken": kit.csrf },
  });
  if (status < 400) await settleDraft(draft.client_id, draft.request_id, () => undefined);
}
