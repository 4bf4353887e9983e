/** What the counter hears: a tone that says yes or no, and a sentence. A phone without a voice still gives the tone. */

let audio: AudioContext | null = null;

/** Browsers let pages sound only after a touch: call it on the first one. */
export function wakeVoice(): void {
  try {
    audio ??= new AudioContext();
    void audio.resume();
  } catch {
    audio = null;
  }
}

function tone(notes: [frequency: number, atS: number, lengthS: number][]): void {
  if (!audio) return;
  for (const [frequency, at, length] of notes) {
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    oscillator.frequency.value = frequency;
    oscillator.type = "triangle";
    const start = audio.currentTime + at;
    gain.gain.setValueAtTime(0.0001, start);
    gain.gain.exponentialRampToValueAtTime(0.6, start + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + length);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + length);
  }
}

export function soundYes(): void {
  tone([
    [880, 0, 0.16],
    [1319, 0.13, 0.28],
  ]);
}

export function soundNo(): void {
  tone([
    [247, 0, 0.22],
    [196, 0.24, 0.4],
  ]);
}

/** Say a sentence at once; what was being said is cut off, for the next guest stands there already. */
export function speak(sentence: string): void {
  if (!("speechSynthesis" in globalThis) || !sentence) return;
  speechSynthesis.cancel();
  const said = new SpeechSynthesisUtterance(sentence);
  said.lang = document.documentElement.lang === "en" ? "en" : "zh-CN";
  said.rate = 1.1;
  speechSynthesis.speak(said);
}
