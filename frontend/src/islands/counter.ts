/**
 * The counter: camera or scanner in, a large word and a tone out. Works without a network: the page is kept by the service worker, the
 * day's pack and the queue by this phone.
 */
import QrScanner from "qr-scanner";
import { plainDigits } from "../counter/codes";
import { isPaymentCode, takePayment } from "../counter/paying";
import { freshPack, isOurs, isWithin, type Outcome, Till, yuan } from "../counter/scanning";
import { NoAnswer, RefusedByServer, SignInNeeded } from "../counter/server";
import { type Counter, CounterStore, type Offer } from "../counter/store";
import { soundNo, soundYes, speak, wakeVoice } from "../counter/voice";
import { clock, say, wordsFrom } from "../words";

const SAME_FOR_MS = 8000; // the same picture before the camera is the same guest
const SHOWN_FOR_MS = 6000;
const AGAIN_MS = 15_000;
const PACK_GOOD_FOR_S = 600;

/** Nearly all of what the camera sees, at a resolution that tells the 49 modules of a code apart; the decoder's own guess is for larger ones. */
function regionOf({ videoWidth, videoHeight }: HTMLVideoElement): QrScanner.ScanRegion {
  const side = Math.round(Math.min(videoWidth, videoHeight) * 0.92);
  const scaled = Math.min(side, 720);
  return {
    x: Math.round((videoWidth - side) / 2),
    y: Math.round((videoHeight - side) / 2),
    width: side,
    height: side,
    downScaledWidth: scaled,
    downScaledHeight: scaled,
  };
}

class CounterPage {
  private readonly words = wordsFrom("counter-words");
  private till!: Till;
  private counter: Counter | null = null;
  private offer: Offer | null = null;
  private scanner: QrScanner | null = null;
  private last = { text: "", at: 0 };
  private busy = false;
  private typed = "";
  private typedAt = 0;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private uploading = false;
  /** The last redemption, while the worker may still pay for it by phone. */
  private unpaid: { id: string; fen: number; counter: string; undone: () => void } | null = null;
  private signedOut = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly store: CounterStore,
  ) {}

  async begin(): Promise<void> {
    const device = await this.store.device();
    let kept = await this.store.pack();
    try {
      kept = await freshPack(this.store);
    } catch (reason) {
      if (reason instanceof SignInNeeded) this.signedOut = true;
      else if (reason instanceof RefusedByServer) return this.cannotWork(reason.words, false, true);
      else if (!(reason instanceof NoAnswer)) throw reason;
    }
    if (!kept)
      return this.cannotWork(say(this.words, this.signedOut ? "sign_in" : "first_time"), this.signedOut);
    this.till = new Till(this.store, device, kept);
    this.listen();
    this.show();
    this.part("work").hidden = false;
    this.root.dataset.ready = "yes";
    void navigator.storage?.persist?.();
    void this.keepPage();
    await this.store.tidy(Date.now() / 1000);
    await this.catchUp();
    setInterval(() => void this.catchUp(), AGAIN_MS);
  }

  private part<T extends HTMLElement = HTMLElement>(name: string): T {
    const found = this.root.querySelector<T>(`[data-part="${name}"]`);
    if (!found) throw new Error(`no part ${name}`);
    return found;
  }

  private cannotWork(words: string, signIn = false, toDesk = false): void {
    const note = this.part("cannot");
    note.hidden = false;
    this.part("cannot-words").textContent = words;
    this.part("sign-in").hidden = !signIn;
    this.part("to-desk").hidden = !toDesk;
    this.part("starting").hidden = true;
  }

  private listen(): void {
    const wake = () => wakeVoice();
    document.addEventListener("pointerdown", wake);
    document.addEventListener("keydown", wake);
    this.part<HTMLSelectElement>("counter").addEventListener("change", () => this.show());
    this.part("camera").addEventListener("click", () => void this.toggleCamera());
    const form = this.part<HTMLFormElement>("typed");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const input = this.part<HTMLInputElement>("digits");
      const text = input.value;
      input.value = "";
      void this.scanned(text, true);
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("online", () => {
      this.till.heard();
      void this.catchUp();
    });
    addEventListener("offline", () => void this.showState());
    this.part("upload").addEventListener("click", () => void this.catchUp(true));
    this.part("result").addEventListener("click", () => this.hideResult());
  }

  /** A USB scanner types faster than people and ends with Enter; it may do so whatever has the focus. */
  private key(event: KeyboardEvent): void {
    const target = event.target;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    const now = Date.now();
    if (now - this.typedAt > 400) this.typed = "";
    this.typedAt = now;
    if (event.key === "Enter") {
      const text = this.typed;
      this.typed = "";
      if (text.length < 8) return;
      event.preventDefault();
      void this.scanned(text, true);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) this.typed += event.key;
  }

  private show(): void {
    const { pack } = this.till.kept;
    const select = this.part<HTMLSelectElement>("counter");
    const chosen = select.value || localStorage.getItem("yizhan-counter") || "";
    if (select.options.length !== pack.counters.length)
      select.replaceChildren(...pack.counters.map(({ id, name }) => new Option(name, id)));
    this.counter = pack.counters.find(({ id }) => id === chosen) ?? pack.counters[0] ?? null;
    if (!this.counter) {
      this.cannotWork(say(this.words, "no_counter"));
      return;
    }
    select.value = this.counter.id;
    localStorage.setItem("yizhan-counter", this.counter.id);
    this.part("choose").hidden = pack.counters.length < 2;
    this.part("name").textContent = this.counter.name;
    const word = this.part("word");
    word.textContent = this.counter.word;
    word.dataset.colour = this.counter.colour;
    this.showOffers(this.counter.offers);
    this.showToday(this.counter.today);
    void this.showState();
    this.part("starting").hidden = true;
  }

  private showOffers(offers: Offer[]): void {
    const list = this.part("offers");
    this.part("no-offers").hidden = offers.length > 0;
    const now = new Date(this.till.time() * 1000);
    this.offer =
      offers.find(({ id }) => id === this.offer?.id) ??
      offers.find(({ hours }) => isWithin(hours, now)) ??
      offers[0] ??
      null;
    list.replaceChildren(
      ...offers.map((offer) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "counter-offer";
        button.setAttribute("aria-pressed", String(offer === this.offer));
        const name = document.createElement("strong");
        name.textContent = offer.name;
        const price = document.createElement("span");
        price.textContent = say(this.words, "offer_price", {
          pays: yuan(offer.worker_fen),
          price: yuan(offer.list_price_fen),
        });
        const hours = document.createElement("span");
        hours.className = "small";
        hours.textContent = offer.hours.join("、");
        button.append(name, price, hours);
        button.addEventListener("click", () => {
          this.offer = offer;
          for (const other of list.children) other.setAttribute("aria-pressed", String(other === button));
        });
        return button;
      }),
    );
  }

  private showToday({ count }: { count: number }): void {
    this.part("today").textContent = say(this.words, "today", { n: count });
  }

  private async showState(): Promise<void> {
    const waiting = (await this.store.queue()).length;
    const line = this.part("state");
    const offline = !navigator.onLine || this.root.dataset.reach === "no";
    line.textContent = say(
      this.words,
      this.signedOut
        ? "state_signed_out"
        : offline
          ? "state_offline"
          : waiting
            ? "state_waiting"
            : "state_good",
      { n: waiting, time: clock(new Date(this.till.kept.fetched_at * 1000)).slice(0, 5) },
    );
    line.className = `counter-state note ${this.signedOut || offline || waiting ? "note-warn" : "note-good"}`;
    this.part("upload").hidden = waiting === 0;
    this.part("sign-in-again").hidden = !this.signedOut;
    const settled = await this.store.settled();
    const box = this.part("settled");
    box.hidden = settled.length === 0;
    const exceptions = settled.filter(({ state }) => state !== "accepted");
    this.part("settled-words").textContent = say(this.words, "settled", {
      n: settled.length - exceptions.length,
      m: exceptions.length,
    });
    this.part("settled-list").replaceChildren(
      ...exceptions.map(({ offer_name, scanned_at, words }) => {
        const item = document.createElement("li");
        item.textContent = `${clock(scanned_at).slice(0, 5)} ${offer_name} · ${words}`;
        return item;
      }),
    );
  }

  /** Bring the queue to the server, and a fresh pack from it. */
  private async catchUp(now = false): Promise<void> {
    if (this.uploading) return;
    this.uploading = true;
    try {
      const waiting = (await this.store.queue()).length;
      const age = Date.now() / 1000 - this.till.kept.fetched_at;
      if (waiting || now || this.signedOut || this.root.dataset.reach === "no" || age > PACK_GOOD_FOR_S)
        this.till.kept = await freshPack(this.store);
      this.signedOut = false;
      this.root.dataset.reach = "yes";
      this.till.heard();
      if (waiting) {
        await this.till.upload();
        this.till.kept = await freshPack(this.store);
      }
    } catch (reason) {
      if (reason instanceof SignInNeeded) this.signedOut = true;
      else if (reason instanceof NoAnswer) this.root.dataset.reach = "no";
      else if (reason instanceof RefusedByServer) console.warn("The queue waits:", reason.words);
      else throw reason;
    } finally {
      this.uploading = false;
      this.show();
    }
  }

  private async toggleCamera(): Promise<void> {
    const button = this.part("camera");
    if (this.scanner) {
      this.scanner.destroy();
      this.scanner = null;
      this.part("view").hidden = true;
      button.textContent = say(this.words, "camera_on");
      return;
    }
    const video = this.part<HTMLVideoElement>("video");
    this.part("view").hidden = false;
    this.scanner = new QrScanner(video, ({ data }) => void this.scanned(data, false), {
      returnDetailedScanResult: true,
      preferredCamera: "environment",
      maxScansPerSecond: 12,
      highlightScanRegion: true,
      calculateScanRegion: regionOf,
      onDecodeError: () => undefined,
    });
    try {
      await this.scanner.start();
      button.textContent = say(this.words, "camera_off");
      this.part("no-camera").hidden = true;
    } catch (reason) {
      console.info("No camera:", reason);
      this.scanner.destroy();
      this.scanner = null;
      this.part("view").hidden = true;
      this.part("no-camera").hidden = false;
    }
  }

  private async scanned(raw: string, byHand: boolean): Promise<void> {
    const text = plainDigits(raw);
    const now = Date.now();
    if (!byHand && text === this.last.text && now - this.last.at < SAME_FOR_MS) return;
    const pays = this.unpaid !== null && isPaymentCode(text);
    if (!byHand && !isOurs(text) && !pays) return; // whatever else lies before the camera
    if (this.busy || !this.counter) return;
    if (pays) return this.pay(text);
    if (!this.offer) return this.refuse(say(this.words, "no_offers"));
    this.busy = true;
    this.last = { text, at: now };
    const requestId = crypto.randomUUID();
    try {
      await this.tell(await this.till.scan(this.counter, this.offer, text, requestId));
    } finally {
      this.busy = false;
      this.last.at = Date.now();
    }
  }

  /** The worker pays by phone: said when it is done, or when it is certain that it is not. */
  private async pay(text: string): Promise<void> {
    const due = this.unpaid;
    if (!due) return;
    this.busy = true;
    this.last = { text, at: Date.now() };
    try {
      const path = `/api/benefits/counter/${due.counter}/redemptions/${due.id}/workers-share`;
      const done = await takePayment(path, text, this.till.kept.pack.csrf, ({ words, open }) => {
        if (open) this.result("wait", words, say(this.words, "paying"), "");
      });
      if (done?.state === "paid") {
        this.unpaid = null;
        this.accept(say(this.words, "paid"), say(this.words, "paid_yuan", { pays: yuan(due.fen) }));
      } else if (done && !done.open) {
        this.unpaid = null;
        due.undone();
        this.refuse(say(this.words, "not_paid"), say(this.words, "not_paid_title"));
        void this.catchUp(true); // how many there are today, without this one
      } else this.refuse(say(this.words, "payment_unknown"));
    } catch (reason) {
      this.refuse(reason instanceof RefusedByServer ? reason.words : say(this.words, "payment_unknown"));
    } finally {
      this.busy = false;
    }
  }

  private async tell(outcome: Outcome): Promise<void> {
    if (outcome.kind === "refused") {
      this.refuse(outcome.words || say(this.words, `refused_${outcome.code}`));
      return;
    }
    if (outcome.kind === "ticket") {
      if (outcome.servedAt)
        this.refuse(say(this.words, "ticket_again", { time: clock(outcome.servedAt).slice(0, 5) }));
      else
        this.accept(
          say(this.words, "ticket_good"),
          outcome.offer,
          say(this.words, "ticket_time", { time: clock(outcome.redeemedAt).slice(0, 5) }),
        );
      return;
    }
    const pays = yuan(outcome.workerFen);
    const title = say(this.words, outcome.kind === "queued" ? "queued" : "redeemed");
    const line = say(this.words, outcome.workerFen ? "pays" : "pays_nothing", { pays });
    const byPhone =
      outcome.kind === "redeemed" && outcome.workerFen > 0 && this.till.kept.pack.pays_by.length > 0;
    const more =
      outcome.kind === "queued"
        ? say(this.words, outcome.isVoucher ? "queued_voucher" : "queued_more")
        : byPhone
          ? say(this.words, "cash_or_phone")
          : "";
    this.unpaid =
      outcome.kind === "redeemed" && byPhone && this.counter
        ? { id: outcome.id, fen: outcome.workerFen, counter: this.counter.id, undone: () => {} }
        : null;
    this.accept(title, `${outcome.offer} · ${line}`, more, `${say(this.words, "spoken")}${line}`);
    if (outcome.kind === "redeemed") {
      if (this.counter) this.counter.today = outcome.today;
      this.showToday(outcome.today);
      const undone = this.addUndo(outcome.id, outcome.offer, pays);
      if (this.unpaid) this.unpaid.undone = undone;
    } else await this.showState();
  }

  private accept(title: string, line: string, more = "", spoken = ""): void {
    this.result("yes", title, line, more);
    soundYes();
    navigator.vibrate?.(80);
    speak(spoken || title);
  }

  private refuse(words: string, title = say(this.words, "refused")): void {
    this.result("no", title, words, "");
    soundNo();
    navigator.vibrate?.([120, 80, 120]);
    speak(title);
  }

  private result(answer: string, title: string, line: string, more: string): void {
    const box = this.part("result");
    box.dataset.answer = answer;
    this.part("result-title").textContent = title;
    this.part("result-line").textContent = line;
    this.part("result-more").textContent = more;
    box.hidden = false;
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => this.hideResult(), SHOWN_FOR_MS);
  }

  private hideResult(): void {
    this.part("result").hidden = true;
  }

  /** One more line of what was redeemed just now; gives what to call when it was undone by itself. */
  private addUndo(id: string, offer: string, pays: string): () => void {
    const counter = this.counter;
    if (!counter) return () => {};
    const item = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = `${clock(new Date()).slice(0, 5)} ${offer} · ${say(this.words, "pays", { pays })}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = say(this.words, "undo");
    const undone = () => {
      text.textContent += ` · ${say(this.words, "undone")}`;
      button.remove();
    };
    button.addEventListener("click", async () => {
      if (!confirm(say(this.words, "undo_sure", { offer }))) return;
      button.disabled = true;
      try {
        const today = await this.till.takeBack(counter, id, say(this.words, "undo_reason"));
        counter.today = { ...counter.today, count: today.count };
        this.showToday(today);
        undone();
      } catch (reason) {
        button.disabled = false;
        this.refuse(
          reason instanceof RefusedByServer && reason.words ? reason.words : say(this.words, "undo_failed"),
        );
      }
    });
    item.append(text, button);
    const list = this.part("latest");
    list.prepend(item);
    this.part("latest-box").hidden = false;
    while (list.children.length > 10) list.lastElementChild?.remove();
    return undone;
  }

  /** Let the service worker keep this page, and say when it does. */
  private async keepPage(): Promise<void> {
    if (!("serviceWorker" in navigator)) return;
    const { active } = await navigator.serviceWorker.ready;
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => {
      this.part("kept").textContent = say(this.words, data === "kept" ? "kept" : "not_kept");
      this.root.dataset.kept = String(data);
    };
    active?.postMessage({ keep: "/counter/" }, [channel.port2]);
  }
}

const root = document.querySelector<HTMLElement>("[data-counter]");
if (root)
  CounterStore.open()
    .then((store) => new CounterPage(root, store).begin())
    .catch((reason: unknown) => {
      console.warn("The counter cannot work:", reason);
      const note = root.querySelector<HTMLElement>('[data-part="cannot"]');
      if (note) note.hidden = false;
    });
