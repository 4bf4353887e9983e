import { encode } from "uqr";
import { describe, expect, test } from "vitest";
import vectors from "../../tests/benefits/code_vectors.json";
import {
  CodeRejected,
  certificateRequest,
  fromBase64Url,
  newKeyPair,
  signCode,
  validUntil,
  verify,
} from "../src/counter/codes";

// The same file that the server's tests read.
const phoneKey = () =>
  crypto.subtle.importKey(
    "pkcs8",
    fromBase64Url(vectors.phone_key_pkcs8),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign"],
  );

async function resultOf(text: string, at: number): Promise<string> {
  try {
    await verify(text, vectors.house_keys, at);
    return "accepted";
  } catch (reason) {
    return reason instanceof CodeRejected ? reason.reason : String(reason);
  }
}

describe("a code", () => {
  test.each(vectors.cases.map(({ name, text, at, result }) => [name, text, at, result] as const))(
    "is judged as the server judges it: %s",
    async (_name, text, at, result) => {
      expect(await resultOf(text, at)).toBe(result);
    },
  );
  test("signed here holds, and says its certificate, step and nonce", async () => {
    const text = await signCode(fromBase64Url(vectors.issued), await phoneKey(), vectors.noon + 31, 12);
    expect(await verify(text, vectors.house_keys, vectors.noon + 40)).toEqual({
      number: vectors.number,
      validUntil: vectors.noon + 86_400,
      step: vectors.noon / 30 + 1,
      nonce: 12,
    });
  });
  test("signed by a browser before holds still", async () => {
    expect(vectors.by_a_browser.length).toBeGreaterThan(0);
    for (const text of vectors.by_a_browser) expect(await resultOf(text, vectors.noon)).toBe("accepted");
  });
  test("fits a picture of 49 modules, which a cheap camera reads from a scratched screen", async () => {
    const text = await signCode(fromBase64Url(vectors.issued), await phoneKey(), vectors.noon);
    expect(encode(text, { ecc: "L", border: 0 }).size).toBe(49);
  });
  test("is another one each time", async () => {
    const key = await phoneKey();
    const issued = fromBase64Url(vectors.issued);
    expect(await signCode(issued, key, vectors.noon)).not.toBe(await signCode(issued, key, vectors.noon));
  });
});

describe("a phone's key", () => {
  test("cannot be read, and the request proves that we hold it", async () => {
    const pair = await newKeyPair();
    expect(pair.privateKey.extractable).toBe(false);
    const { public_key, proof } = await certificateRequest(pair);
    expect(fromBase64Url(public_key)).toHaveLength(65);
    expect(fromBase64Url(proof)).toHaveLength(64);
  });
  test("has a certificate whose end can be read; other bytes have none", () => {
    expect(validUntil(fromBase64Url(vectors.issued))).toBe(vectors.noon + 86_400);
    expect(validUntil(new Uint8Array(3))).toBe(0);
  });
});
