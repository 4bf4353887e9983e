/**
 * The code on a worker's phone: the same form as `yizhan/benefits/codes.py`, which says why it is so. Signing and checking are
 * WebCrypto's; ours is only the order of the bytes, and the square root that turns a compressed point into the one WebCrypto reads.
 */

export const STEP_S = 30;
export const STEPS_AFTER = 2;
export const STEPS_BEFORE = 1;
const VERSION = 1;
const PREFIX = "80";
const CERTIFICATE = 48;
const SIGNATURE = 64;
const ISSUED = CERTIFICATE + SIGNATURE;
const CODE = ISSUED + 8 + SIGNATURE;
const DIGITS = 444;

/** Stable reasons, the same as the server's. */
export type Reason =
  | "not_a_code"
  | "other_version"
  | "unknown_key"
  | "forged"
  | "expired"
  | "too_old"
  | "too_early";

export class CodeRejected extends Error {
  constructor(readonly reason: Reason) {
    super(reason);
  }
}

export interface Code {
  /** Number of the certificate, as 16 hexadecimal digits. */
  number: string;
  /** UTC epoch seconds. */
  validUntil: number;
  step: number;
  nonce: number;
}

type Bytes = Uint8Array<ArrayBuffer>;
const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };

/** A key pair that never leaves this browser: the private half cannot be read, not even by this page. */
export async function newKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"]);
}

/** What the server certifies: the public half as 65 bytes, and the proof that we hold the other, both in base64url. */
export async function certificateRequest(
  pair: CryptoKeyPair,
): Promise<{ public_key: string; proof: string }> {
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const proof = await sign(pair.privateKey, "yizhan certificate request\0", compress(point));
  return { public_key: toBase64Url(point), proof: toBase64Url(proof) };
}

/** The digits of a code for the step in which `at` lies; UTC epoch seconds. */
export async function signCode(
  issued: Bytes,
  key: CryptoKey,
  at: number,
  nonce = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
): Promise<string> {
  const tail = new Uint8Array(8);
  const view = new DataView(tail.buffer);
  view.setUint32(0, Math.floor(at / STEP_S));
  view.setUint32(4, nonce);
  const signature = await sign(key, "yizhan code\0", joined(issued.subarray(0, CERTIFICATE), tail));
  return digitsOf(joined(issued, tail, signature));
}

/** A scanned text without what keyboards add: full-width digits, blanks. */
export function plainDigits(text: string): string {
  return text.slice(0, 1000).normalize("NFKC").replace(/\s+/g, "");
}

/** Whether a scanned text has the form of a code. */
export function isCode(text: string): boolean {
  const said = plainDigits(text);
  return said.length === PREFIX.length + DIGITS && said.startsWith(PREFIX) && /^\d+$/.test(said);
}

/** Check both signatures and the time. `houseKeys`: compressed points in base64url by number. */
export async function verify(text: string, houseKeys: Record<string, string>, at: number): Promise<Code> {
  const body = bytesOf(text);
  const certificate = body.subarray(0, CERTIFICATE);
  const view = new DataView(body.buffer);
  if (certificate[0] !== VERSION) throw new CodeRejected("other_version");
  const houseKey = houseKeys[String(view.getUint16(1))];
  if (!houseKey) throw new CodeRejected("unknown_key");
  const byTheHouse = body.subarray(CERTIFICATE, ISSUED);
  if (!(await holds(fromBase64Url(houseKey), byTheHouse, "yizhan certificate\0", certificate)))
    throw new CodeRejected("forged");
  const said = joined(certificate, body.subarray(ISSUED, ISSUED + 8));
  if (!(await holds(certificate.subarray(15), body.subarray(ISSUED + 8), "yizhan code\0", said)))
    throw new CodeRejected("forged");
  const code = {
    number: [...certificate.subarray(3, 11)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    validUntil: view.getUint32(11),
    step: view.getUint32(ISSUED),
    nonce: view.getUint32(ISSUED + 4),
  };
  if (code.step * STEP_S >= code.validUntil) throw new CodeRejected("expired");
  const behind = Math.floor(at / STEP_S) - code.step;
  if (behind > STEPS_AFTER) throw new CodeRejected("too_old");
  if (behind < -STEPS_BEFORE) throw new CodeRejected("too_early");
  return code;
}

/** Until when a certificate is valid, and whether these are its bytes at all. */
export function validUntil(issued: Bytes): number {
  return issued.length === ISSUED ? new DataView(issued.buffer, issued.byteOffset).getUint32(11) : 0;
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

export function fromBase64Url(text: string): Bytes {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

function digitsOf(code: Bytes): string {
  let number = 0n;
  for (const byte of code) number = (number << 8n) | BigInt(byte);
  return PREFIX + number.toString().padStart(DIGITS, "0");
}

function bytesOf(text: string): Bytes {
  if (!isCode(text)) throw new CodeRejected("not_a_code");
  let number = BigInt(plainDigits(text).slice(PREFIX.length));
  const bytes = new Uint8Array(CODE);
  for (let place = CODE - 1; place >= 0; place -= 1) {
    bytes[place] = Number(number & 255n);
    number >>= 8n;
  }
  if (number) throw new CodeRejected("not_a_code");
  return bytes;
}

async function sign(key: CryptoKey, purpose: string, message: Bytes): Promise<Bytes> {
  const whole = joined(new TextEncoder().encode(purpose), message);
  return new Uint8Array(await crypto.subtle.sign(SIGNING, key, whole));
}

async function holds(point: Bytes, signature: Bytes, purpose: string, message: Bytes): Promise<boolean> {
  const whole = joined(new TextEncoder().encode(purpose), message);
  try {
    const key = await crypto.subtle.importKey("raw", decompress(point), ECDSA, false, ["verify"]);
    return await crypto.subtle.verify(SIGNING, key, signature, whole);
  } catch {
    return false;
  }
}

function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// P-256 of FIPS 186-4: y² = x³ − 3x + b over the field of this prime, of which 3 is the remainder by 4.
const PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** 65 bytes as 33. */
function compress(point: Uint8Array): Bytes {
  return joined(new Uint8Array([2 + ((point[64] ?? 0) & 1)]), point.subarray(1, 33));
}

/** 33 bytes as 65. A point that is not on the curve is refused by `importKey`, and so by us. */
function decompress(point: Uint8Array): Bytes {
  const x = BigInt(`0x${hex(point.subarray(1, 33))}`);
  let y = power((((x * x - 3n) * x + B) % PRIME) + PRIME, (PRIME + 1n) / 4n);
  if ((y & 1n) !== BigInt((point[0] ?? 0) & 1)) y = PRIME - y;
  const bytes = y.toString(16).padStart(64, "0").match(/../g) ?? [];
  return joined(
    new Uint8Array([4]),
    point.subarray(1, 33),
    Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)),
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % PRIME;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % PRIME;
    square = (square * square) % PRIME;
  }
  return result;
}
