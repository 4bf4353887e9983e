/** The worker's share by phone: the cashier scans the worker's payment code after the redemption, and waits until it is paid or not. */
import { plainDigits } from "./codes";
import { ask, NoAnswer } from "./server";

export interface Payment {
  state: string;
  words: string;
  open: boolean;
}

const EVERY_MS = 2000;
const PATIENCE_MS = 12_000;

/** A payment code of WeChat (18 digits from 10 to 15) or Alipay (16 to 24 from 25 to 30), as both publish it. */
export function isPaymentCode(text: string): boolean {
  return /^(1[0-5]\d{16}|(2[5-9]|30)\d{14,22})$/.test(plainDigits(text));
}

/**
 * Take the payment and follow it to its end. An answer that never came is asked for again under the same id; the carrier is asked for money
 * once. `tell` hears each state.
 */
export async function takePayment(
  path: string,
  code: string,
  csrf: string,
  tell: (payment: Payment) => void,
  { requestId = crypto.randomUUID() as string, pause = wait, most = 60 } = {},
): Promise<Payment | null> {
  let last: Payment | null = null;
  for (let turn = 0; turn < most; turn += 1) {
    try {
      last = await ask<Payment>(path, {
        body: { request_id: requestId, code: plainDigits(code) },
        csrf,
        patienceMs: PATIENCE_MS,
      });
      tell(last);
      if (!last.open) return last;
    } catch (reason) {
      if (!(reason instanceof NoAnswer)) throw reason;
    }
    await pause(EVERY_MS);
  }
  return last;
}

function wait(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
